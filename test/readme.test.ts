import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { fencesOf } from "./support/markdown.js";
import { type PrintingProgram, startProgram } from "./support/printing-program.js";
import { needs, without } from "./support/requirements.js";
import { after, before, describe, it } from "./support/suite.js";

const checkout = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

describe("a newcomer who pastes README.md into an empty folder", {
  skip: without("a package registry") || needs("curl"),
}, () => {
  let folder: string;
  let program: PrintingProgram;
  /** The command that downloads the file, for the port that the program has. */
  let download: string;

  before(async () => {
    const readme = await readFile(join(checkout, "README.md"), "utf8");
    const [install, start, curl] = steps(readme, "sh");
    folder = await mkdtemp(join(tmpdir(), "readme-"));
    const project = join(folder, "project");
    await mkdir(project);
    await paste(install!.replace(/(?<= )typeorm-private-files(?= )/, await pack(folder)), project);
    await writeFile(join(project, "tsconfig.json"), steps(readme, "json")[0]!);
    await writeFile(join(project, "app.ts"), fencesOf(readme)[0]!.code);
    program = await startProgram(["sh", "-ec", start!], project, environment());
    download = curl!.replace(":3000/", `:${new URL(program.url).port}/`);
  });

  after(async () => {
    await program?.stop();
    await rm(folder, { recursive: true });
  });

  it("downloads the file, by its name, from the address that the program prints", async () => {
    assert.ok(download.includes(`'${program.url}'`), `${download} is not for ${program.url}`);
    const downloads = await mkdtemp(join(folder, "downloads-"));
    await paste(download, downloads);
    assert.equal(await readFile(join(downloads, "invoice.pdf"), "utf8"), "%PDF-1.7 …");
  });

  for (const [who, query] of [
    ["nobody", ""],
    ["another user", "?user=8"],
  ] as const) {
    it(`is answered 403 as ${who}`, async () => {
      const answer = await fetch(program.url.replace("?user=7", query));
      assert.equal(answer.status, 403);
      assert.equal(await answer.text(), "Forbidden");
    });
  }
});

/** The blocks of one language below "Run it". */
function steps(readme: string, info: string): string[] {
  const section = /^## Run it\n(.*?)^## /ms.exec(readme)![1]!;
  return fencesOf(section).flatMap((fence) => (fence.info === info ? [fence.code] : []));
}

/** Packs the checkout as it is built. */
async function pack(folder: string): Promise<string> {
  const options = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", options, { cwd: checkout, env: environment() });
  const [tarball] = JSON.parse(stdout) as { filename: string }[];
  return join(folder, tarball!.filename);
}

/** Runs commands as a reader pastes them, and stops at the first that fails. */
async function paste(commands: string, folder: string): Promise<void> {
  await run("sh", ["-ec", commands], { cwd: folder, env: environment() });
}

function environment(): NodeJS.ProcessEnv {
  // The coverage of npm and the compiler is of no use, and large.
  const { NODE_V8_COVERAGE: _, ...inherited } = process.env;
  return {
    ...inherited,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    // Else npx looks in the registry for a program that the README has not installed.
    npm_config_yes: "false",
  };
}
