import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { anchorsOf, relativeLinksOf } from "./support/markdown.js";
import { takesLong } from "./support/requirements.js";
import { after, before, describe, it } from "./support/suite.js";

const checkout = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);
/** The package's own, and those of what `npm run bench` and `test/consumers` use besides. */
const LOCKFILES = [
  "package-lock.json",
  ...["bench/peers", "consumers/tools", "consumers/typeorm-0.3", "consumers/typeorm-1.1"].map(
    (folder) => `test/${folder}/package-lock.json`,
  ),
];

interface Manifest {
  name: string;
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

describe("the published package", () => {
  let folder: string;
  let manifest: Manifest;
  /** The paths in the tarball. */
  let packed: string[];
  /** Where the tarball is unpacked: in the `node_modules` of an empty project. */
  let installed: string;

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "package-")));
    manifest = JSON.parse(await readFile(join(checkout, "package.json"), "utf8"));
    installed = join(folder, "project/node_modules", manifest.name);
    packed = await packInto(folder, installed);
    await linkDependencies(manifest, dirname(installed));
  });

  after(() => rm(folder, { recursive: true }));

  it("contains the code, its sources, its types and what a reader looks for first, and nothing else", () => {
    const code = /^(dist\/)?(src\/.+)\.(ts|js|d\.ts)(\.map)?$|^docs\//;
    const read = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
    assert.deepEqual(packed.filter((path) => !code.test(path)).sort(), read);
  });

  it("contains what its exports name", async () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? target : Object.values(target),
    );
    const paths = targets.map((target) => posix.normalize(target));
    assert.ok(paths.includes("dist/src/index.js") && paths.includes("dist/src/index.d.ts"));
    assert.deepEqual(
      paths.filter((path) => !packed.includes(path)),
      [],
    );
  });

  it("was built of the sources that it contains, and of no others", async () => {
    const declared = packed.filter((path) => /^dist\/.*\.d\.ts$/.test(path));
    const sources = packed.filter((path) => path.startsWith("src/"));
    assert.deepEqual(
      declared.map((path) => path.replace(/^dist\/(.*)\.d\.ts$/, "$1.ts")).sort(),
      sources.sort(),
      "Remove dist/ and build again.",
    );
  });

  it("has only links that lead to a file in it, and to a heading there", async () => {
    const pages = packed.filter((path) => path.endsWith(".md"));
    assert.ok(pages.includes("README.md") && pages.includes("docs/security.md"));
    for (const page of pages) {
      const markdown = await readFile(join(installed, page), "utf8");
      for (const { link, path, anchor } of relativeLinksOf(page, markdown)) {
        assert.ok(packed.includes(path), `${page}: ${link} leads to no file of the package`);
        if (anchor === undefined) continue;
        const anchors = anchorsOf(await readFile(join(installed, path), "utf8"));
        assert.ok(anchors.includes(anchor), `${page}: ${link} leads to no heading`);
      }
    }
  });

  it("contains every module that its modules import, now or later", async () => {
    const modules = packed.filter((path) => path.endsWith(".js"));
    for (const path of modules) {
      const code = await readFile(join(installed, path), "utf8");
      for (const [, imported] of code.matchAll(/\b(?:from|import\() ?"(\.[^"]+)"/g)) {
        const target = posix.join(posix.dirname(path), imported!);
        assert.ok(modules.includes(target), `${path} imports ${target}`);
      }
    }
  });

  it("says nothing about the machine that it was built on", async () => {
    for (const path of packed) {
      const text = await readFile(join(installed, path), "utf8");
      for (const place of [checkout, homedir(), tmpdir()]) {
        assert.equal(text.includes(`${place}/`), false, `${path} contains ${place}/`);
      }
    }
  });

  it("has source maps that lead to its own sources", async () => {
    const maps = packed.filter((path) => path.endsWith(".map"));
    assert.ok(maps.length > 0);
    for (const path of maps) {
      const { sources } = JSON.parse(await readFile(join(installed, path), "utf8")) as { sources: string[] };
      for (const source of sources) {
        const target = posix.join(posix.dirname(path), source);
        assert.ok(packed.includes(target), `${path} leads to ${target}`);
      }
    }
  });

  it("gives import and require() the same names, at every entry", async () => {
    for (const entry of Object.keys(manifest.exports).filter((path) => !path.endsWith(".json"))) {
      const name = posix.join(manifest.name, entry);
      const code = `
        import * as imported from "${name}";
        import { createRequire } from "node:module";
        const required = createRequire(import.meta.url)("${name}");
        const same = Object.keys(imported).every((name) => imported[name] === required[name]);
        console.log(JSON.stringify({ names: Object.keys(imported), same }));`;
      const { names, same } = JSON.parse((await runInProject(code)).stdout);
      assert.deepEqual(names, Object.keys(await import(name)));
      assert.ok(names.includes(entry === "." ? "PrivateFiles" : "describeStorage"));
      assert.equal(same, true);
    }
  });

  it("has a command that runs", async () => {
    const bin = manifest.bin["private-files"]!;
    const { stdout } = await run(process.execPath, [join(installed, bin), "--version"], { env: withoutCoverage() });
    assert.equal(stdout, `${manifest.version}\n`);
    assert.match(await readFile(join(installed, bin), "utf8"), /^#!\/usr\/bin\/env node\n/);
  });

  it("loads nothing but what it declares: no database driver, no form parser, no optional package", async () => {
    const loaded = new Set((await filesLoaded()).map(packageOf));
    const declared = await dependenciesOf([
      ...Object.keys(manifest.dependencies),
      ...requiredPeers(manifest),
      // `debug`, which TypeORM depends on, takes it where another package brought it.
      "supports-color",
    ]);
    assert.ok(loaded.has(manifest.name) && loaded.has("typeorm"));
    assert.deepEqual(
      [...loaded].filter((name) => name !== manifest.name && !declared.has(name)),
      [],
    );
  });

  it("compiles in a strict TypeScript project that checks the types of its libraries", async () => {
    assert.deepEqual(await compile(join(folder, "project"), CONSUMER, STRICT), []);
  });

  it("refuses a wrong type in such a project", async () => {
    const wrong = CONSUMER.replace("report.number ===", "report.nummer ===");
    const compiled = await compile(join(folder, "project"), wrong, STRICT);
    assert.match(compiled.join("\n"), /consumer\.ts.*Property 'nummer' does not exist on type 'Report'/);
  });

  for (const module of ["nodenext", "commonjs"]) {
    it(`needs no lib above ES2021, with module ${module}`, { skip: takesLong }, async () => {
      const options = { ...STRICT, target: "es2021", lib: ["es2021"], module };
      assert.deepEqual(await compile(join(folder, "project"), CONSUMER, options), []);
    });
  }

  /** What an import of the package loads of files in `node_modules`. */
  async function filesLoaded(): Promise<string[]> {
    const coverage = await mkdtemp(join(folder, "coverage-"));
    // What V8 counts coverage of is what was loaded, by `import` and by `require()`.
    const { stderr } = await runInProject(`import "${manifest.name}";`, { NODE_V8_COVERAGE: coverage });
    assert.equal(stderr, "");
    const [file] = await readdir(coverage);
    const { result } = JSON.parse(await readFile(join(coverage, file!), "utf8")) as { result: { url: string }[] };
    const paths = result.map(({ url }) => (url.startsWith("file:") ? fileURLToPath(url) : ""));
    return paths.filter((path) => path.includes("/node_modules/"));
  }

  /** Runs an ES module as a file of the project. */
  async function runInProject(code: string, environment: NodeJS.ProcessEnv = {}) {
    const file = join(folder, "project", "main.mjs");
    await writeFile(file, code);
    return run(process.execPath, [file], { env: { ...withoutCoverage(), ...environment } });
  }
});

for (const path of LOCKFILES) {
  describe(`the lockfile ${path}`, () => {
    it("names every optional package, so that `npm ci` works on other platforms and where a registry lacks theirs", async () => {
      const { packages } = await lockfile(path);
      const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
      const paths = Object.keys(packages);
      assert.deepEqual(
        optional.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`))),
        [],
      );
    });

    it("names nothing outside of the checkout, and no registry", async () => {
      const { packages } = await lockfile(path);
      assert.ok(Object.keys(packages).length > 1);
      for (const [path, entry] of Object.entries(packages)) {
        assert.match(path, /^(node_modules\/.+)?$/);
        assert.equal(entry.resolved, undefined, path);
      }
    });
  });
}

/** What a user's application has: entities with a condition, a data source and Koa. */
const CONSUMER = `
import Koa from "koa";
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import { type AfterDownloadEvent, DiskStorage, PrivateFile, PrivateFileColumn, PrivateFileError, PrivateFiles, type PrivateFileSubscriber, streamDelivery } from "typeorm-private-files";
import { describeDelivery, describeStorage, type StorageUnderTest } from "typeorm-private-files/testing";

@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @Column() number!: string;
  @PrivateFileColumn<Report>({ condition: (ctx, report) => report.number === ctx.state.user })
  scan!: PrivateFile;
}

export class Downloads implements PrivateFileSubscriber<Report> {
  listenTo = () => Report;
  afterDownload(event: AfterDownloadEvent<Report>) {
    console.log(event.entity.number, event.seconds);
  }
}

const dataSource = new DataSource({ type: "sqljs", entities: [Report], subscribers: [Downloads] });
export const files = new PrivateFiles(dataSource, { storage: new DiskStorage("private") });
export const app = new Koa().use(files.routes());
app.on("error", (error) => console.error(error instanceof PrivateFileError ? error.cause : error));

const open = async (): Promise<StorageUnderTest> => ({ storage: new DiskStorage("private"), close: async () => {} });
describeStorage("DiskStorage", open);
describeDelivery("streamDelivery", streamDelivery, { thorough: true });
`;

const STRICT = {
  target: "es2022",
  lib: ["es2023"],
  module: "nodenext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  noEmit: true,
};

/** Packs the checkout as it is built, and unpacks that. npm would build it again. */
async function packInto(folder: string, installed: string): Promise<string[]> {
  const options = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", options, { cwd: checkout, env: withoutCoverage() });
  const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, tarball!.filename), "--strip-components=1", "-C", installed]);
  return tarball!.files.map(({ path }) => path);
}

/** Gives the project what npm would install with the package, and nothing else, without asking a registry. */
async function linkDependencies(manifest: Manifest, modules: string): Promise<void> {
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), "@types/node"];
  for (const name of names) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(checkout, "node_modules", name), join(modules, name));
  }
}

function requiredPeers({ peerDependencies }: Manifest): string[] {
  return Object.keys(peerDependencies).filter((name) => !name.startsWith("@types/"));
}

function packageOf(path: string): string {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)![1]!;
}

interface Lockfile {
  packages: Record<string, { resolved?: string; optionalDependencies?: object }>;
}

async function lockfile(path = "package-lock.json"): Promise<Lockfile> {
  return JSON.parse(await readFile(join(checkout, path), "utf8"));
}

/** The packages and all that they depend on, by their manifests; optional ones are no dependencies. */
async function dependenciesOf(names: string[]): Promise<Set<string>> {
  const folders = new Set<string>();
  const queue = names.map((name) => folderOf(name, checkout));
  while (queue.length > 0) {
    const folder = queue.pop();
    if (folder === undefined || folders.has(folder)) continue;
    folders.add(folder);
    const { dependencies = {} } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) queue.push(folderOf(name, folder));
  }
  return new Set([...folders].map(packageOf));
}

/** Where a package is installed for the modules of a folder; `undefined` where it is not. */
function folderOf(name: string, from: string): string | undefined {
  // With the slash, "buffer" is the package and not the module of Node.
  const places = createRequire(join(from, "package.json")).resolve.paths(`${name}/`)!;
  return places.map((place) => join(place, name)).find((folder) => existsSync(folder));
}

/** The compiler's errors in the consumer's code and in the package. Errors inside other packages' types do not count. */
async function compile(project: string, consumer: string, compilerOptions: object): Promise<string[]> {
  await writeFile(join(project, "package.json"), '{ "type": "module" }');
  await writeFile(join(project, "consumer.ts"), consumer);
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["consumer.ts"] }));
  const compiler = join(checkout, "node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [compiler], { cwd: project, env: withoutCoverage() }).catch(
    (failed: { stdout: string }) => failed,
  );
  return stdout.split("\n").filter((line) => /^[^. ].*\berror\b/.test(line));
}

/** npm's and the compiler's own coverage is of no use, and large. */
function withoutCoverage(): NodeJS.ProcessEnv {
  const { NODE_V8_COVERAGE: _, ...environment } = process.env;
  return environment;
}
