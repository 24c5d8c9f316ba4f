import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CliProject } from "../support/cli-project.js";

const checkout = resolve(import.meta.dirname, "../../..");
const packageUrl = JSON.stringify(import.meta.resolve("typeorm-private-files"));

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.open();
});
afterEach(() => project.close());

/** What the command says of a configuration of this content. */
async function refused(name: string, content: string): Promise<string> {
  await project.write(name, content);
  const { code, stdout, stderr } = await project.run(["check", "--config", name]);
  assert.deepEqual([code, stdout], [2, ""]);
  return stderr;
}

describe("the configuration of private-files", () => {
  it("is refused when it waits for something that never comes", async () => {
    const said = await refused("waiting.mjs", "await new Promise(() => {}); export const files = {};");
    assert.match(said, /^private-files: the configuration or the database never finished opening\./m);
  });

  it("is a module that --config names, its PrivateFiles exported by any name or as the default, or twice", async () => {
    const files = await readFile(join(project.folder, "ormconfig.mjs"), "utf8");
    await rm(join(project.folder, "ormconfig.mjs"));
    await project.write("own.mjs", files);
    await project.write("again.mjs", 'export { files, files as same } from "./own.mjs"; export default null;');
    await project.write("default.mjs", 'export { files as default } from "./own.mjs";');
    await project.write(
      "common.cjs",
      'const { files } = require("./own.mjs"); module.exports = Object.assign({}, { files });',
    );
    for (const name of ["own.mjs", "again.mjs", "default.mjs", "common.cjs"]) {
      const { code, stderr } = await project.run(["check", "--config", name]);
      assert.equal(code, 0, stderr);
    }
  });

  it("may have opened its data source already", async () => {
    await project.write(
      "open.mjs",
      'import dataSource from "./ormconfig.mjs"; await dataSource.initialize(); export * from "./ormconfig.mjs";',
    );
    const { code, stderr } = await project.run(["check", "--config", "open.mjs"]);
    assert.equal(code, 0, stderr);
  });

  it("is this project's own, which exports the site's files beside its one DataSource", async () => {
    const { code, stdout, stderr } = await project.run(["check", "--config", join(checkout, "dist/ormconfig.js")], {
      DATABASE_URL: "",
      FILES_ROOT: join(project.folder, "private"),
    });
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^error CountedDownload\.downloadable: the database has no table/m);
    const { CommandUtils } = createRequire(import.meta.url)("typeorm/commands/CommandUtils.js");
    process.env.FILES_ROOT = join(project.folder, "private");
    const dataSource = await CommandUtils.loadDataSource(join(checkout, "dist/ormconfig.js"));
    assert.equal(dataSource.options.type, "sqljs");
  });

  it("is refused where it is not there, exports none or two, or can't be loaded, each with what to do", async () => {
    assert.match(
      await refused("none.mjs", "export const files = {};"),
      /none\.mjs: it exports no PrivateFiles\. Export one:/,
    );
    const two = `import { DataSource } from "${dirname(import.meta.resolve("typeorm"))}/index.mjs";
      import { PrivateFiles } from ${packageUrl};
      const make = () => new PrivateFiles(new DataSource({ type: "sqljs" }));
      export const [one, other] = [make(), make()];`;
    assert.match(await refused("two.mjs", two), /two\.mjs: it exports 2 PrivateFiles\. Export one, or name another/);
    assert.match(
      await refused("broken.mjs", 'throw new Error("no SECRET is set");'),
      /broken\.mjs: it can't be loaded: no SECRET is set\. Fix this error and try again\./,
    );
    assert.match(
      await refused("own.ts", "enum A { B } export default A;"),
      /own\.ts: it can't be loaded: .*Compile it and name the \.js/,
    );
    const absent = await project.run(["sweep", "--config", "absent.mjs"]);
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /absent\.mjs: there is no such file\. Name another with --config\./);
  });

  it("is looked for under some names in the working directory, and a TypeScript one is told of", async () => {
    await rm(join(project.folder, "ormconfig.mjs"));
    const { code, stderr } = await project.run(["sweep"]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no ormconfig\.js, .*, dist\/ormconfig\.js here\. Name it with --config\.\n$/);
    await project.write("ormconfig.ts", "");
    assert.match((await project.run(["sweep"])).stderr, /ormconfig\.ts is TypeScript\. Compile it .* --import tsx /);
  });
});
