import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCommand, UsageError } from "../../src/cli/arguments.js";
import { durationSeconds } from "../../src/cli/duration.js";
import { CliProject } from "../support/cli-project.js";

describe("the command line of private-files", () => {
  it("asks for a sweep that removes nothing unless it says --delete", () => {
    assert.deepEqual(parseCommand(["sweep"]), {
      ...{ name: "sweep", config: undefined, json: false },
      options: { dryRun: true, force: false, prefixes: undefined },
    });
    const args = [
      "sweep",
      "--delete",
      "--force",
      "--older-than=90m",
      "--prefix",
      "a/",
      "--prefix=b/",
      "--config",
      "c.js",
    ];
    assert.deepEqual(parseCommand([...args, "--json"]), {
      ...{ name: "sweep", config: "c.js", json: true },
      options: { dryRun: false, force: true, olderThan: 5400, prefixes: ["a/", "b/"] },
    });
  });

  it("asks a sweep or a check to verify files where it says --verify", () => {
    assert.deepEqual(parseCommand(["sweep", "--verify"]), {
      ...{ name: "sweep", config: undefined, json: false },
      options: { dryRun: true, force: false, prefixes: undefined, verify: true },
    });
    assert.deepEqual(parseCommand(["check", "--verify", "--static", "public"]), {
      ...{ name: "check", config: undefined, json: false },
      options: { staticFolders: ["public"], verify: true },
    });
  });

  it("is refused with the reason where it says nothing sensible", () => {
    const wrong: [string[], RegExp][] = [
      [[], /^no command is given/],
      [["clean"], /^the first argument must be sweep or check, got "clean"/],
      [["sweep", "--dry-run"], /^Unknown option '--dry-run'\.$/],
      [["--delete", "sweep"], /^the first argument must be sweep or check, got "--delete"/],
      [["sweep", "--older-than", "-5"], /^Option '--older-than' argument is ambiguous\.$/],
      [["sweep", "uploads/"], /^Unexpected argument 'uploads\/'/],
      [["sweep", "--static", "public"], /^Unknown option '--static'/],
      [["check", "--delete"], /^Unknown option '--delete'/],
      [["sweep", "--prefix"], /argument missing/],
      [["sweep", "--prefix", ""], /^"--prefix" must not be empty, got ""\.$/],
      [["check", "--static", ""], /^"--static" must not be empty/],
      [["sweep", "--older-than", "1w"], /^"--older-than" must be a duration, got "1w"\. Give seconds, or/],
    ];
    for (const [args, message] of wrong) {
      assert.throws(
        () => parseCommand(args),
        (error) => error instanceof UsageError && message.test(error.message),
        args.join(" "),
      );
    }
  });

  it("takes times in seconds, minutes, hours and days", () => {
    const times = { "0": 0, "90": 90, "90s": 90, "30m": 1800, "24h": 86_400, "7d": 604_800, "1.5h": 5400 };
    for (const [text, seconds] of Object.entries(times)) assert.equal(durationSeconds(text), seconds);
    for (const text of ["", "h", "-1", "1 h", "1H", "1w", "1e9", "0x10", "Infinity", "1h30m"]) {
      assert.equal(durationSeconds(text), undefined, text);
    }
  });

  it("shows help and version on standard output with 0, and a mistake on standard error with 2", async (t) => {
    const project = await CliProject.open();
    t.after(() => project.close());
    const help = await project.run(["sweep", "--help"]);
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    for (const option of [
      "--delete",
      "--older-than",
      "--prefix",
      "--force",
      "--static",
      "--verify",
      "--config",
      "--json",
    ]) {
      assert.match(help.stdout, new RegExp(`^ +${option} `, "m"));
    }
    assert.match((await project.run(["--version"])).stdout, /^\d+\.\d+\.\d+\S*\n$/);
    const mistake = await project.run(["swep"]);
    assert.deepEqual(mistake, {
      ...{ code: 2, stdout: "" },
      stderr: 'private-files: the first argument must be sweep or check, got "swep". See private-files --help.\n',
    });
  });
});
