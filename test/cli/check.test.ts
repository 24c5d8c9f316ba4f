import assert from "node:assert/strict";
import { join } from "node:path";
import { CliProject } from "../support/cli-project.js";
import { takesLong } from "../support/requirements.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.open();
});
afterEach(() => project.close());

const target = () => `Database: sqljs "database.sqlite". Files: ${join(project.folder, "files")}.\n`;
const database = () => ({ database: 'sqljs "database.sqlite"', folders: [join(project.folder, "files")] });

describe("private-files check", { skip: takesLong }, () => {
  it("exits with 0 where all is well, and leaves no file", async () => {
    const { code, stdout } = await project.run(["check"]);
    assert.deepEqual([code, stdout], [0, `${target()}Errors: 0. Warnings: 0. Infos: 0.\n`]);
    assert.deepEqual(await project.files(), []);
  });

  it("exits with 1 for an error, and says what to do", async () => {
    const { code, stdout } = await project.run(["check", "--static", ".", "--static", "files"]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^(error .*\/files: everybody can read files of it, .* \[STORAGE_SERVED\]\n){2}Database: .*\nErrors: 2\. Warnings: 0\. Infos: 0\.\n$/,
    );
  });

  it("exits with 0 for warnings alone", async () => {
    await project.write("index.html", "");
    const { code, stdout } = await project.run(["check"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^warning .* \[STORAGE_PERHAPS_SERVED\]\nDatabase: .*\nErrors: 0\. Warnings: 1\. Infos: 0\.\n$/,
    );
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
    assert.deepEqual(summary, { kind: "summary", ...database(), errors: 1, warnings: 0, infos: 0 });
    assert.deepEqual(rest, []);
  });

  it("shows rows whose value is not a key and rows with foreign objects, and exits with 0", async () => {
    await project.name("uploads/a.pdf", "\u202e..\\\\b\n.pdf", "uploads/c.pdf");
    const { code, stdout } = await project.run(["check"]);
    assert.equal(code, 0);
    assert.deepEqual(stdout.split("\n"), [
      String.raw`warning Letter.scan: 1 row with a value that is not a key, such as "\u{202e}..\\\\b\n.pdf". The files can't be served. Give the files names that are keys, and change the rows. [INVALID_KEYS]`,
      String.raw`  "\u{202e}..\\\\b\n.pdf" {"id":2}`,
      'info Letter.scan: 2 rows with a key that this package did not make, such as "uploads/a.pdf", "uploads/c.pdf". Their objects are served like all others. Removing the row does not delete them; a sweep does only if it is given their folder as a prefix. [FOREIGN_OBJECTS]',
      '  "uploads/a.pdf" {"id":1}',
      '  "uploads/c.pdf" {"id":3}',
      target().trimEnd(),
      "Errors: 0. Warnings: 1. Infos: 1.",
      "",
    ]);
  });

  it("prints these rows with --json, and says how many more there are than it shows", async () => {
    await project.name("../x", ...Array.from({ length: 102 }, (_, index) => `uploads/${index}.pdf`));
    const { stdout } = await project.run(["check", "--json"]);
    const [invalid, foreign, summary] = stdout.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
    assert.deepEqual([invalid.severity, invalid.count, invalid.rows], ["warning", 1, [{ id: { id: 1 }, key: "../x" }]]);
    assert.deepEqual([foreign.severity, foreign.count, foreign.rows.length], ["info", 102, 100]);
    assert.deepEqual(foreign.rows[99], { id: { id: 101 }, key: "uploads/99.pdf" });
    assert.deepEqual(summary, { kind: "summary", ...database(), errors: 0, warnings: 1, infos: 1 });
    assert.match((await project.run(["check"])).stdout, /^ {2}and 2 more$/m);
  });
});
