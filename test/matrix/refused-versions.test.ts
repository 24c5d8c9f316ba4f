import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { takesLong } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { nodeProgram } from "./packages.js";
import { makeRowFolder, replacePackage } from "./row-folder.js";

const VERSIONS = { typeorm: "1.1.1", koa: "3.3.0" };

// They install the old versions from the registry, once.
describe("a version that does not work is refused in one sentence", { skip: takesLong }, () => {
  let folder: string;
  before(async () => {
    folder = await makeRowFolder({ name: "refused", node: process.versions.node, ...VERSIONS });
  });
  after(() => rm(folder, { recursive: true }));

  for (const [name, version, message, type = "sqljs"] of [
    ["typeorm", "0.2.45", "PrivateFiles: TypeORM 0.2.45 is too old. Install TypeORM 0.3.20 or newer."],
    ["typeorm", "0.3.19", "PrivateFiles: TypeORM 0.3.19 is too old. Install TypeORM 0.3.20 or newer."],
    [
      "typeorm",
      "0.3.20",
      "PrivateFiles: TypeORM 0.3.20 does not announce statements on better-sqlite3, by which files follow their rows. Install TypeORM 0.3.21 or newer.",
      "better-sqlite3",
    ],
    ["koa", "2.15.4", "PrivateFiles: Koa 2.15.4 is too old. Install Koa 2.16.0 or newer."],
  ] as const) {
    it(`when a PrivateFiles or its routes are made: ${message}`, async () => {
      await replacePackage(folder, name, version);
      const making = `
        const { DataSource } = await import("typeorm");
        await import("koa");
        const { PrivateFiles } = await import("./dist/src/index.js");
        new PrivateFiles(DataSource ? new DataSource({ type: "${type}", database: ":memory:" }) : {}).routes();`;
      assert.equal(await failure(process.execPath, making), message);
      await replacePackage(folder, name, VERSIONS[name]);
    });
  }

  for (const version of ["16.20.2", "18.20.8", "20.18.3"]) {
    it(`at import: Node.js ${version}`, async () => {
      assert.equal(
        await failure(await nodeProgram(version), 'await import("./dist/src/index.js");'),
        `typeorm-private-files: Node.js ${version} is too old. Install Node.js 20.19 or newer.`,
      );
    });
  }

  /** The message of the error that a program throws. */
  async function failure(node: string, program: string): Promise<string> {
    const telling = `try { ${program} } catch (error) { console.log(error.message); }`;
    const { stdout } = await promisify(execFile)(node, ["--input-type=module", "-e", telling], { cwd: folder });
    return stdout.trim();
  }
});
