import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { CliProject, command } from "../support/cli-project.js";
import { run } from "../support/programs.js";
import { needs, takesLong } from "../support/requirements.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keyIn } from "../support/sweep-fixture.js";

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.open();
});
afterEach(() => project.close());

const parsed = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("private-files sweep", { skip: takesLong }, () => {
  it("exits with 0 where nothing needs attention, and says what it saw", async () => {
    await project.name(await project.put(keyIn("letters")));
    await project.put("logo.png");
    const { code, stdout } = await project.run(["sweep"]);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `Database: sqljs "database.sqlite". Files: ${join(project.folder, "files")}.\n` +
        "2 files: 1 named by rows, 0 too young to tell, 1 of others, 0 orphans (0 bytes).\n" +
        "Files of others stay. If all files below a folder belong to private columns, name it: --prefix uploads/\n",
    );
  });

  it("exits with 1 for an orphan, tells how to remove it, and keeps it; then --delete removes it and exits with 0", async () => {
    await project.name(await project.put(keyIn("letters")));
    const orphan = await project.put(keyIn("letters", "o.txt"));
    const { code, stdout } = await project.run(["sweep"]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^orphan "${orphan}" \\(5 bytes, \\d{4}-\\d\\d-\\d\\d, Letter\\.scan\\)\n`));
    assert.match(stdout, /\nNothing was removed\. Run it with --delete to remove the orphans\.\n$/);
    assert.equal((await project.files()).length, 2);
    const removal = await project.run(["sweep", "--delete"]);
    assert.equal(removal.code, 0);
    assert.match(removal.stdout, /^removed ".*\nRemoved 1 orphan and 0 interrupted uploads\.\n$/s);
    assert.deepEqual(await project.files(), ["a.txt"]);
  });

  it("exits with 1 for a row without a file, also with --delete", async () => {
    await project.name("letters/gone\u202e.txt");
    for (const args of [["sweep"], ["sweep", "--delete"]]) {
      const { code, stdout } = await project.run(args);
      assert.equal(code, 1);
      assert.match(stdout, /^missing "letters\/gone\\u\{202e\}\.txt" of Letter\.scan \{"id":1\}\n/);
      assert.match(stdout, /\n1 row without a file\. Restore the files\.\n$/);
    }
  });

  it("exits with 1 for a row whose value is not a key", async () => {
    await project.name("letters\\gone\n.txt");
    const { code, stdout } = await project.run(["sweep"]);
    assert.equal(code, 1);
    assert.match(stdout, /^invalid "letters\\\\gone\\n\.txt" of Letter\.scan \{"id":1\}\n/);
    assert.match(stdout, /\n1 row with a value that is not a key\. /);
  });

  it("exits with 2 when a file can't be removed, and says why in one line", async () => {
    await project.name(await project.put(keyIn("letters")));
    await project.put(keyIn("letters"));
    const { code, stdout } = await project.run(["sweep", "--delete"], { FAILS: "1" });
    assert.equal(code, 2);
    assert.match(stdout, /^failed ".*\): no permission\\u\{a\}at all\n/);
    assert.match(stdout, /\n1 orphan could not be removed\. Fix the cause, and run it again\.\n$/);
  });

  it("exits with 2 for the wrong database, and does as it is told with --force", async () => {
    await project.put(keyIn("letters"));
    const { code, stdout, stderr } = await project.run(["sweep", "--delete"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^private-files: PrivateFiles\.sweep: no row of Letter\.scan names any object/m);
    assert.match(stderr, /^private-files: .* give force: true \(the command: --force\)\.$/m);
    assert.match(stderr, /^Database: sqljs "database\.sqlite"\. Files: \/.*\/files\.$/m);
    assert.equal((await project.files()).length, 1);
    assert.equal((await project.run(["sweep", "--delete", "--force"])).code, 0);
    assert.deepEqual(await project.files(), []);
  });

  it("exits with 2 for a database that does not open, or has no such table", async () => {
    await project.write("database.sqlite", "");
    const { code, stderr } = await project.run(["sweep"]);
    assert.equal(code, 2);
    assert.match(stderr, /^private-files: no such table: letter$/m);
  });

  it("takes a grace period and prefixes", async () => {
    await project.name(await project.put(keyIn("letters")));
    await project.put(keyIn("letters"));
    await project.put("scans/1.pdf");
    await project.put("faxes/1.pdf");
    assert.equal((await project.run(["sweep", "--older-than", "3d"])).code, 0);
    const { stdout } = await project.run(["sweep", "--older-than", "47h", "--prefix", "scans/", "--prefix", "faxes/"]);
    assert.match(stdout, /0 of others, 3 orphans \(15 bytes\)/);
  });

  it("prints with --json one object a line and nothing else, whatever the configuration prints", async () => {
    await project.name(await project.put(keyIn("letters")), "letters/gone");
    const orphan = await project.put(keyIn("letters"));
    const { code, stdout, stderr } = await project.run(["sweep", "--json", "--delete"], { FAILS: "1" });
    assert.equal(code, 2);
    const [first, second, summary, ...rest] = parsed(stdout);
    const { modifiedAt, ...item } = second;
    assert.ok(Date.now() - Date.parse(modifiedAt) > 47 * 3_600_000);
    assert.deepEqual(item, {
      ...{ kind: "orphan", key: orphan, size: 5, columns: ["Letter.scan"], removed: false },
      error: "no permission\nat all",
    });
    assert.deepEqual(first, { kind: "missing", key: "letters/gone", column: "Letter.scan", id: { id: 2 } });
    assert.deepEqual(summary, {
      ...{
        kind: "summary",
        database: 'sqljs "database.sqlite"',
        folders: [join(project.folder, "files")],
        dryRun: false,
      },
      ...{ listed: 2, named: 1, young: 0, foreign: 0, orphans: 1, bytes: 5 },
      ...{ removed: 0, failed: 1, missing: 1, invalid: 0, incomplete: 0 },
    });
    assert.deepEqual(rest, []);
    assert.match(stderr, /configured/);
    assert.match(stderr, /SELECT/);
  });

  it("stops cleanly when it is interrupted, and exits with 130", async () => {
    await project.name(await project.put(keyIn("letters")));
    for (let count = 0; count < 300; count++) await project.put(keyIn("letters"));
    const child = project.start(["sweep", "--delete"], { SLOW: "1" });
    const exit = once(child, "exit");
    let stderr = "";
    child.stderr!.on("data", (chunk) => (stderr += chunk));
    let removed = 0;
    for await (const line of createInterface({ input: child.stdout as Readable })) {
      assert.match(line, /^removed /);
      if (++removed === 5) child.kill("SIGINT");
    }
    assert.deepEqual(await exit, [130, null]);
    assert.match(stderr, /private-files: interrupted\. What was removed stays removed\.\n$/);
    const left = (await project.files()).length;
    assert.ok(left > 1 && left <= 301 - removed, `${removed} were told, ${left} are left`);
  });

  it("goes on to its end when its reader has seen enough", { skip: takesLong || needs("sh", "head") }, async () => {
    await project.name(await project.put(keyIn("letters")));
    for (let count = 0; count < 1500; count++) await project.put(keyIn("letters"));
    const { code } = await run(
      ...["sh", "-c", `cd "$1" && (node "$2" sweep --delete 2>/dev/null; echo $? >code) | head -1`],
      ...["sh", project.folder, command],
    );
    assert.equal(code, 0);
    assert.equal(await readFile(join(project.folder, "code"), "utf8"), "0\n");
    assert.equal((await project.files()).length, 1);
  });

  it("draws a bar on a terminal, and erases it", { skip: needs("script") }, async () => {
    await project.name(await project.put(keyIn("letters")));
    for (let count = 0; count < 450; count++) await project.put(`foreign/${count}`);
    const line = `cd ${project.folder} && ${process.execPath} ${command} sweep >out`;
    const { code, stdout } = await run("script", "--quiet", "--return", "--command", line, "/dev/null");
    assert.equal(code, 0);
    const drawn = stdout.split("\r\u001b[K");
    assert.match(drawn[1]!, /^\[#{30}\] 200 files looked at$/);
    assert.equal(drawn.at(-1), "");
    const printed = await readFile(join(project.folder, "out"), "utf8");
    assert.match(printed, /^Database: .*\n451 files: 1 named by rows/);
    assert.ok(!printed.includes("\u001b"));
  });

  it("draws nothing where standard error is no terminal", async () => {
    for (let count = 0; count < 450; count++) await project.put(`foreign/${count}`);
    const { stderr } = await project.run(["sweep"]);
    assert.ok(!stderr.includes("looked at"));
  });
});
