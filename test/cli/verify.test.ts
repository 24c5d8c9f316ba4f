import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliProject, command } from "../support/cli-project.js";
import { run } from "../support/programs.js";
import { needs, takesLong } from "../support/requirements.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keyIn } from "../support/sweep-fixture.js";
import { digestOf } from "../verification/archive.js";

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.open();
});
afterEach(() => project.close());

/** The object of each key has the content "bytes". */
const [RIGHT, WRONG] = [digestOf("bytes"), digestOf("other")];
const put = () => project.put(keyIn("letters"));
const parsed = (stdout: string) => stdout.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));

describe("private-files sweep --verify", { skip: takesLong }, () => {
  it("exits with 0 where all objects have the bytes that their rows say, and says how many they were", async () => {
    await project.nameWithDigest(await put(), RIGHT);
    await project.nameWithDigest(await put(), RIGHT.toUpperCase());
    await project.name(await put());
    const { code, stdout } = await project.run(["sweep", "--verify"]);
    assert.equal(code, 0);
    assert.match(stdout, /\n2 rows verified, 1 without a digest, 0 altered, 0 unreadable\.\n$/);
  });

  it("exits with 1 for an object with other bytes, says which, and keeps it, also with --delete", async () => {
    const key = await put();
    await project.nameWithDigest(key, WRONG);
    for (const args of [["sweep"], ["sweep", "--delete"]]) {
      const { code, stdout } = await project.run([...args, "--verify"]);
      assert.equal(code, 1);
      const line = `altered "${key}" of Letter.scan {"id":1}: its SHA-256 digest is "${RIGHT}", the row says "${WRONG}"\n`;
      assert.ok(stdout.startsWith(line), stdout);
      assert.match(
        stdout,
        /\n0 rows verified, 0 without a digest, 1 altered, 0 unreadable\.\n1 row whose file has other bytes than the row says\. Restore the file, or correct the row if the file is right\.\n$/,
      );
    }
    assert.deepEqual(await project.files(), ["a.txt"]);
  });

  it("says nothing of digests and exits with 0 without --verify", async () => {
    await project.nameWithDigest(await put(), WRONG);
    const { code, stdout } = await project.run(["sweep"]);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /verified|altered/);
  });

  it("exits with 2 for an object that can't be read, says why in one line, and looks at the others", async () => {
    await project.nameWithDigest(await put(), RIGHT);
    const bad = await project.put(keyIn("letters", "unreadable.txt"));
    await project.nameWithDigest(bad, RIGHT);
    const { code, stdout } = await project.run(["sweep", "--verify"]);
    assert.equal(code, 2);
    assert.ok(stdout.startsWith(`unreadable "${bad}" of Letter.scan {"id":2}: a bad\\u{a}sector\n`), stdout);
    assert.match(stdout, /\n1 row verified, 0 without a digest, 0 altered, 1 unreadable\.\n/);
    assert.match(stdout, /\n1 file could not be read\. Fix the cause, and run it again\.\n$/);
  });

  it("prints with --json the items, their errors, and the numbers", async () => {
    const [altered, bad] = [await put(), await project.put(keyIn("letters", "unreadable.txt"))];
    await project.nameWithDigest(altered, WRONG);
    await project.nameWithDigest(bad, RIGHT);
    const { code, stdout } = await project.run(["sweep", "--verify", "--json"]);
    assert.equal(code, 2);
    const [first, second, summary, ...rest] = parsed(stdout);
    assert.deepEqual(first, {
      ...{ key: altered, column: "Letter.scan", id: { id: 1 }, kind: "altered" },
      ...{ expected: { sha256: WRONG }, found: { size: 5, sha256: RIGHT } },
    });
    assert.deepEqual(second, {
      ...{ key: bad, column: "Letter.scan", id: { id: 2 }, kind: "unreadable", error: "a bad\nsector" },
    });
    assert.deepEqual(summary.verification, { verified: 0, unverified: 0, altered: 1, unreadable: 1 });
    assert.deepEqual(rest, []);
  });

  it("stops cleanly when it is interrupted in the middle of an object, and exits with 130", async () => {
    await project.nameWithDigest(await project.put(keyIn("letters", "endless.txt")), RIGHT);
    const child = project.start(["sweep", "--verify"]);
    const { exit, stderr } = await interruptedWhileReading(child);
    assert.deepEqual(exit, [130, null]);
    assert.match(stderr, /private-files: interrupted\./);
  });
});

describe("private-files check --verify", { skip: takesLong }, () => {
  it("exits with 0 where all objects have the bytes that their rows say, or rows say nothing", async () => {
    await project.nameWithDigest(await put(), RIGHT);
    const bare = await put();
    await project.name(bare);
    const { code, stdout } = await project.run(["check", "--verify"]);
    assert.equal(code, 0);
    assert.match(stdout, /^info Letter\.scan: 1 row with a file and no digest, .* \[UNVERIFIED_OBJECTS\]\n/);
    assert.ok(stdout.includes(`\n  "${bare}" {"id":2}\n`), stdout);
    assert.match(stdout, /\nErrors: 0\. Warnings: 0\. Infos: 1\.\n$/);
  });

  it("exits with 1 for an object with other bytes, and for one that can't be read, and says for each row what is wrong", async () => {
    const [altered, bad] = [await put(), await project.put(keyIn("letters", "unreadable.txt"))];
    await project.nameWithDigest(altered, WRONG);
    await project.nameWithDigest(bad, RIGHT);
    const { code, stdout } = await project.run(["check", "--verify"]);
    assert.equal(code, 1);
    const lines = stdout.split("\n");
    assert.match(lines[0]!, /^error Letter\.scan: 1 row with an object that has other bytes .* \[ALTERED_OBJECTS\]$/);
    assert.equal(lines[1], `  "${altered}" {"id":1}: its SHA-256 digest is "${RIGHT}", the row says "${WRONG}"`);
    assert.match(lines[2]!, /^error Letter\.scan: 1 row with an object that the storage can't read, .* \[UNREADABLE_/);
    assert.equal(lines[3], `  "${bad}" {"id":2}: a bad\\u{a}sector`);
    assert.equal(lines.at(-2), "Errors: 2. Warnings: 0. Infos: 0.");
    assert.equal((await project.run(["check"])).code, 0);
  });

  it("prints the rows with --json, each with what is wrong", async () => {
    const key = await put();
    await project.nameWithDigest(key, WRONG);
    const { stdout } = await project.run(["check", "--verify", "--json"]);
    const [problem] = parsed(stdout);
    const reason = `its SHA-256 digest is "${RIGHT}", the row says "${WRONG}"`;
    assert.deepEqual([problem.code, problem.rows], ["ALTERED_OBJECTS", [{ id: { id: 1 }, key, reason }]]);
  });

  it("exits with 130 when it is interrupted in the middle of an object", async () => {
    await project.nameWithDigest(await project.put(keyIn("letters", "endless.txt")), RIGHT);
    const child = project.start(["check", "--verify"]);
    const { exit, stderr } = await interruptedWhileReading(child);
    assert.deepEqual(exit, [130, null]);
    assert.match(stderr, /private-files: interrupted\.\n$/);
  });

  it("draws a bar on a terminal, and erases it", { skip: needs("script") }, async () => {
    for (let count = 0; count < 3; count++) await project.nameWithDigest(await put(), RIGHT);
    for (const name of ["check", "sweep"]) {
      const line = `cd ${project.folder} && ${process.execPath} ${command} ${name} --verify >out`;
      const { code, stdout } = await run("script", "--quiet", "--return", "--command", line, "/dev/null");
      assert.equal(code, 0);
      const drawn = stdout.split("\r\u001b[K");
      assert.match(drawn[1]!, /^\[#+\.*\] 1 files verified$/);
      assert.equal(drawn.at(-1), "");
      assert.ok(!(await readFile(join(project.folder, "out"), "utf8")).includes("\u001b"));
    }
  });
});

/** Interrupts the command once, when it has begun to read the object that has no end. */
async function interruptedWhileReading(child: ChildProcess): Promise<{ exit: unknown[]; stderr: string }> {
  const exit = once(child, "close");
  let stderr = "";
  let isInterrupted = false;
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
    if (!isInterrupted && stderr.includes("reading for ever")) isInterrupted = child.kill("SIGINT");
  });
  child.stdout!.resume();
  return { exit: await exit, stderr };
}
