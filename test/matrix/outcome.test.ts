import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { outcomeOf, summary } from "./outcome.js";

describe("the outcome of a row of the matrix", () => {
  it("has the totals and the names of the failures that the run printed", () => {
    const { failures, ...totals } = outcomeOf({ output: OUTPUT, exitCode: 1 });
    assert.deepEqual(failures, ["a suite › fails", "another › fails, too"]);
    assert.deepEqual(totals, { pass: 5, fail: 2, skipped: 3, failed: true });
  });

  it("is a failure where the run did not end well, or ran no test", () => {
    const passing = OUTPUT.replace(/✖.*\n/g, "").replace("fail 2", "fail 0");
    assert.equal(outcomeOf({ output: passing, exitCode: 0 }).failed, false);
    assert.equal(outcomeOf({ output: passing, exitCode: null }).failed, true);
    assert.equal(outcomeOf({ output: passing.replace("pass 5", "pass 0"), exitCode: 0 }).failed, true);
    assert.equal(outcomeOf({ output: "", exitCode: 0 }).failed, true);
  });

  it("is a line of a table, with what failed and why a database was left out below", () => {
    const row = { name: "oldest", node: "20.19.0", typeorm: "0.3.31", koa: "2.16.0" };
    const databases = { used: ["sql.js", "PostgreSQL"], leftOut: ["better-sqlite3 is not installed."] };
    const printed = summary([{ row, databases, output: OUTPUT, exitCode: 1, seconds: 12.3 }]);
    assert.deepEqual(printed.trim().split("\n").slice(2), [
      "| oldest | 20.19.0 | 0.3.31 | 2.16.0 | sql.js, PostgreSQL | 5 | 2 | 3 | 12 s |",
      "",
      "oldest: better-sqlite3 is not installed.",
      "oldest: ✖ a suite › fails",
      "oldest: ✖ another › fails, too",
    ]);
  });
});

const OUTPUT = `
✖ a suite › fails
  AssertionError

✖ another › fails, too
  AssertionError

Skipped (CONTRIBUTING.md says how to run them):
  3 tests that take long
ℹ tests 10
ℹ pass 5
ℹ fail 2
ℹ skipped 3
`;
