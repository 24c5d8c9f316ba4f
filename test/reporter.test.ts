import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";

const support = resolve(import.meta.dirname, "support");

describe("the report of the tests", () => {
  let folder: string;
  let printed: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "report-"));
    const file = join(folder, "fixture.test.mjs");
    await writeFile(file, FIXTURE);
    const reporter = `--test-reporter=${join(support, "reporter.js")}`;
    // The runner refuses to run inside of itself.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    printed = await new Promise((done) =>
      execFile(process.execPath, ["--test", reporter, file], { env }, (_error, stdout) => done(stdout)),
    );
  });
  after(() => rm(folder, { recursive: true }));

  it("shows a failure with its path, its stack, its difference, and what its file printed", () => {
    assert.match(printed, /^✖ a suite › of others › fails$/m);
    assert.match(printed, /\(file:.*fixture\.test\.mjs:\d+/);
    assert.match(printed, /actual: 1,\n\s+expected: 2/);
    assert.match(printed, /^a warning$/m);
  });

  it("counts each test of a skipped suite by the suite's reason, and runs none of its hooks", () => {
    assert.match(printed, /^Skipped .*:\n {2}1 test that take long\n {2}2 tests without a server\n/m);
    assert.doesNotMatch(printed, /a hook ran/);
  });

  it("is silent about what passes, and ends with the totals", () => {
    assert.doesNotMatch(printed, /passes/);
    assert.match(printed, /ℹ pass 1\nℹ fail 1\n.*ℹ skipped 3\n/s);
  });
});

const FIXTURE = `
import assert from "node:assert/strict";
import { before, describe, it } from ${JSON.stringify(new URL("support/suite.js", import.meta.url).href)};

describe("a suite", () => {
  it("passes", () => {});
  it("takes long", { skip: "that take long" }, () => {});
  describe("of others", () => {
    it("fails", () => {
      console.error("a warning");
      assert.equal(1, 2);
    });
  });
});

describe("a suite of a server", { skip: "without a server" }, () => {
  before(() => console.error("a hook ran"));
  it("is skipped", () => assert.fail());
  describe("and its parts", () => {
    it("are skipped", () => assert.fail());
  });
});
`;
