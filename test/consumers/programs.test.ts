import assert from "node:assert/strict";
import { after, before, describe, it } from "../support/suite.js";
import { source, Workspace, withoutTools } from "./project.js";
import { command, configuration } from "./tools-page.js";

/** What `sources/application.ts` finds out. The owner got the file that replaced another; a hook counted that. */
const ANSWERS = {
  owner: [200, "second"],
  nobody: [403, "Forbidden"],
  downloads: 1,
  stored: ["cover.pdf", "second.pdf"],
};
/** The same of `sources/application.mjs`, which has no cover. */
const JAVASCRIPT = { ...ANSWERS, stored: ["second.pdf"] };
const ES_MODULES = { "package.json": { type: "module" } };
const COMMONJS = { "package.json": { type: "commonjs" } };

describe("an application that uses the packed package", { skip: withoutTools }, () => {
  let workspace: Workspace;
  let typescript: string;

  before(async () => {
    workspace = await Workspace.open("typeorm-1.1");
    typescript = `${await source("application.ts")}\nvoid use().then((answers) => console.log(JSON.stringify(answers)));\n`;
  });

  after(() => workspace?.close());

  it("runs in JavaScript, as ES modules", async () => {
    await runs("javascript", { "app.mjs": await source("application.mjs") }, "node app.mjs", JAVASCRIPT);
  });

  it("runs in JavaScript, as CommonJS", async () => {
    await runs("commonjs", { "app.cjs": required(await source("application.mjs")) }, "node app.cjs", JAVASCRIPT);
  });

  for (const [version, folder] of [
    ["5.4", "typescript-5.4"],
    ["7.0", "typescript-7.0"],
  ] as const) {
    it(`runs as ES modules with class fields that TypeScript ${version} kept`, async () => {
      const project = await workspace.project(folder, {
        ...ES_MODULES,
        ...(await configuration("TypeScript")),
        "app.ts": typescript,
      });
      await project.run(`node ../node_modules/${folder}/bin/tsc`);
      assert.match(await project.read("app.js"), /^ {4}scan;$/m);
      assert.deepEqual(JSON.parse(await project.run("node app.js")), ANSWERS);
    });
  }

  for (const [version, folder, options] of [
    ["5.9", "typescript-5.9", "--module nodenext"],
    ["6.0", "typescript", "--module commonjs"],
  ] as const) {
    it(`runs as the CommonJS that TypeScript ${version} makes with ${options}`, async () => {
      const files = { ...COMMONJS, ...(await configuration("TypeScript")), "app.ts": typescript };
      await runs(`${folder}-commonjs`, files, `node ../node_modules/${folder}/bin/tsc ${options}\nnode app.js`);
    });
  }

  for (const [tool, heading, manifest] of [
    ["swc", "swc", ES_MODULES],
    ["babel", "Babel", COMMONJS],
  ] as const) {
    it(`runs when ${heading} compiled it without metadata`, async () => {
      const files = { ...manifest, ...(await configuration(heading)), "app.ts": typescript };
      await runs(tool, files, `${compile(tool)}\nnode app.js`);
    });
  }

  it("runs when esbuild bundled it, with the package outside of the bundle, and with it inside", async () => {
    const files = { ...ES_MODULES, ...(await configuration("esbuild and tsx")), "app.ts": typescript };
    const project = await workspace.project("esbuild", files);
    const bundle = await command("esbuild and tsx");
    assert.match(bundle, / --format=esm --packages=external /);
    await project.run(bundle);
    assert.deepEqual(JSON.parse(await project.run("node app.js")), ANSWERS);
    await project.run(bundle.replace("--format=esm --packages=external", "--format=cjs").replace("app.js", "app.cjs"));
    assert.doesNotMatch(await project.read("app.cjs"), /require\("typeorm-private-files"\)/);
    assert.deepEqual(JSON.parse(await project.run("node app.cjs")), ANSWERS);
  });

  for (const [module, manifest] of [
    ["ES modules", ES_MODULES],
    ["CommonJS", COMMONJS],
  ] as const) {
    it(`runs in tsx, as ${module}`, async () => {
      const files = { ...manifest, ...(await configuration("esbuild and tsx")), "app.ts": typescript };
      await runs(`tsx-${manifest["package.json"].type}`, files, "npx tsx app.ts");
    });
  }

  it("needs a type in @Column() where the compiler emits no metadata, and none in @PrivateFileColumn()", async () => {
    const untyped = typescript.replace("@Column({ type: String }) name", "@Column() name");
    const files = { ...ES_MODULES, ...(await configuration("esbuild and tsx")), "app.ts": untyped };
    const project = await workspace.project("untyped", files);
    await assert.rejects(
      project.run("npx tsx app.ts"),
      /ColumnTypeUndefinedError: Column type for Owner#name is not defined/,
    );
  });

  it("needs no type in @Column() where swc emits metadata", async () => {
    const untyped = typescript.replace("@Column({ type: String }) name", "@Column() name");
    const { ".swcrc": swcrc } = await configuration("swc");
    const files = {
      ...ES_MODULES,
      ".swcrc": swcrc!.replace('"legacyDecorator": true', '"legacyDecorator": true, "decoratorMetadata": true'),
      "app.ts": untyped,
    };
    await runs("swc-metadata", files, `${compile("swc")}\nnode app.js`);
  });

  async function runs(
    name: string,
    files: Record<string, string | object>,
    commands: string,
    answers: object = ANSWERS,
  ) {
    const project = await workspace.project(name, files);
    assert.deepEqual(JSON.parse(await project.run(commands)), answers);
  }
});

describe("an application with TypeORM 0.3 and Koa 2 that uses the packed package", { skip: withoutTools }, () => {
  let workspace: Workspace;
  before(async () => {
    workspace = await Workspace.open("typeorm-0.3");
  });
  after(() => workspace?.close());

  it("runs in JavaScript, as ES modules", async () => {
    const files = { ...ES_MODULES, "app.mjs": await source("application.mjs") };
    const project = await workspace.project("javascript", files);
    assert.deepEqual(JSON.parse(await project.run("node app.mjs")), JAVASCRIPT);
  });

  it("runs in JavaScript, as CommonJS", async () => {
    const files = { ...COMMONJS, "app.cjs": required(await source("application.mjs")) };
    const project = await workspace.project("commonjs", files);
    assert.deepEqual(JSON.parse(await project.run("node app.cjs")), JAVASCRIPT);
  });
});

/** Compiles as a build script does: each of the two reads its own configuration file. */
function compile(tool: "swc" | "babel"): string {
  const code = `require("@${tool}/core").transformFileSync("app.ts").code`;
  return `node --input-type=commonjs -e 'fs.writeFileSync("app.js", ${code})'`;
}

/** The same module as CommonJS. */
function required(module: string): string {
  return module.replace(/^import (.+) from (".+");$/gm, "const $1 = require($2);");
}
