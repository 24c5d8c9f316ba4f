import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CliProject } from "../support/cli-project.js";

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.open();
});
afterEach(() => project.close());

describe("private-files check", () => {
  it("exits with 0 where all is well, and leaves no file", async () => {
    const { code, stdout } = await project.run(["check"]);
    assert.deepEqual([code, stdout], [0, "Errors: 0. Warnings: 0.\n"]);
    assert.deepEqual(await project.files(), []);
  });

  it("exits with 1 for an error, and says what to do", async () => {
    const { code, stdout } = await project.run(["check", "--static", ".", "--static", "files"]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^(error .*\/files: everybody can read files of it, .* \[STORAGE_SERVED\]\n){2}Errors: 2\. Warnings: 0\.\n$/,
    );
  });

  it("exits with 0 for warnings alone", async () => {
    await project.write("index.html", "");
    const { code, stdout } = await project.run(["check"]);
    assert.equal(code, 0);
    assert.match(stdout, /^warning .* \[STORAGE_PERHAPS_SERVED\]\nErrors: 0\. Warnings: 1\.\n$/);
  });

  it("exits with 2 when it can't look", async () => {
    const { code, stdout, stderr } = await project.run(["check", "--static", "none"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /private-files: PrivateFiles\.check: the static folder "none" can't be found\./);
  });

  it("prints with --json one object a line and nothing else", async () => {
    await project.write("database.sqlite", "");
    const { code, stdout } = await project.run(["check", "--json"]);
    assert.equal(code, 1);
    const [problem, summary, ...rest] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { message, ...others } = problem;
    assert.match(message, /^the database has no table "letter"\. Run the migrations/);
    assert.deepEqual(others, { kind: "problem", code: "TABLE_MISSING", severity: "error", subject: "Letter.scan" });
    assert.deepEqual(summary, { kind: "summary", errors: 1, warnings: 0 });
    assert.deepEqual(rest, []);
  });
});
