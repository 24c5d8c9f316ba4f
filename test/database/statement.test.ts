import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commitsImplicitly, transactionStatement, verbOf, writtenParameters } from "../../src/database/statement.js";

describe("The verb of a statement", () => {
  for (const [sql, verb] of [
    ["SELECT 1", "SELECT"],
    ["  update t set a = 1", "UPDATE"],
    ["/* a, b */ -- c\n /* d */ Insert into t values (1)", "INSERT"],
    ["/* two\nlines */WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "WITH"],
    ["COMMIT;", "COMMIT"],
    ["", ""],
    ["/* nothing else */", ""],
    ["(SELECT 1)", ""],
  ] as const) {
    it(`of ${JSON.stringify(sql)} is ${JSON.stringify(verb)}`, () => assert.equal(verbOf(sql), verb));
  }
});

describe("A statement's effect on its transaction", () => {
  for (const [sql, statement] of [
    ["BEGIN", { kind: "begin" }],
    ["begin immediate transaction;", { kind: "begin" }],
    ["START TRANSACTION READ ONLY", { kind: "begin" }],
    ["/* by hand */ START TRANSACTION", { kind: "begin" }],
    ["START REPLICA", undefined],
    ["BEGIN NOT ATOMIC SELECT 1; END", undefined],
    ["COMMIT AND CHAIN", { kind: "commit" }],
    ["END TRANSACTION", { kind: "commit" }],
    ["ROLLBACK", { kind: "rollback" }],
    ["ROLLBACK WORK", { kind: "rollback" }],
    ["ROLLBACK /* to be safe */", { kind: "rollback" }],
    ["ROLLBACK -- to be safe", { kind: "rollback" }],
    ["ABORT", { kind: "rollback" }],
    ["SAVEPOINT typeorm_1", { kind: "savepoint", name: "typeorm_1" }],
    ['savepoint "Mixed";', { kind: "savepoint", name: "mixed" }],
    ["SAVEPOINT `a$b` /* traced */", { kind: "savepoint", name: "a$b" }],
    ["ROLLBACK TO SAVEPOINT typeorm_1", { kind: "rollbackTo", name: "typeorm_1" }],
    ["ROLLBACK WORK TO a", { kind: "rollbackTo", name: "a" }],
    ["rollback transaction to savepoint A ;", { kind: "rollbackTo", name: "a" }],
    ["RELEASE SAVEPOINT a", { kind: "release", name: "a" }],
    ["RELEASE a -- done", { kind: "release", name: "a" }],
    ["SELECT 'COMMIT'", undefined],
    ["UPDATE t SET a = 'ROLLBACK'", undefined],
  ] as const) {
    it(`of ${JSON.stringify(sql)} is ${JSON.stringify(statement?.kind ?? "none")}`, () =>
      assert.deepEqual(transactionStatement(sql), statement));
  }

  it("is a commit without a word for the verbs of DDL alone", () => {
    for (const verb of ["CREATE", "ALTER", "TRUNCATE", "SET"]) assert.ok(commitsImplicitly(verb), verb);
    for (const verb of ["SELECT", "INSERT", "CALL", "ROLLBACK", ""]) assert.ok(!commitsImplicitly(verb), verb);
  });
});

describe("The parameters that a statement writes", () => {
  it("are all of an INSERT, an upsert or a statement that begins with WITH", () => {
    assert.deepEqual(writtenParameters("INSERT INTO t VALUES ($1, $2)", ["a", "b"]), ["a", "b"]);
    assert.deepEqual(writtenParameters("REPLACE INTO t VALUES (?, ?)", ["a", "b"]), ["a", "b"]);
    const upsert = "INSERT INTO t VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = $2 WHERE t.b = $3";
    assert.deepEqual(writtenParameters(upsert, ["a", "b", "c"]), ["a", "b", "c"]);
    assert.deepEqual(writtenParameters("WITH a AS (SELECT $1) UPDATE t SET b = $2", ["a", "b"]), ["a", "b"]);
  });

  it("are those of an UPDATE before its WHERE", () => {
    assert.deepEqual(writtenParameters("UPDATE t SET a = $1, b = $2 WHERE id = $3", ["a", "b", "c"]), ["a", "b"]);
    assert.deepEqual(writtenParameters("UPDATE t SET a = ? WHERE id IN (?, ?)", ["a", "b", "c"]), ["a"]);
    assert.deepEqual(writtenParameters("UPDATE t SET a = ?\nwhere id = ?", ["a", "b"]), ["a"]);
    assert.deepEqual(writtenParameters("UPDATE t SET a = ?", ["a"]), ["a"]);
  });

  it("are those of an UPDATE whose expressions have a WHERE, in parentheses or in a text", () => {
    const expression = "UPDATE t SET a = (SELECT b FROM u WHERE c = $1), d = $2 WHERE id = $3";
    assert.deepEqual(writtenParameters(expression, ["a", "b", "c"]), ["a", "b"]);
    const text = "UPDATE t SET a = ' where ?', `where` = ? WHERE id = (SELECT ?)";
    assert.deepEqual(writtenParameters(text, ["a", "b"]), ["a"]);
    assert.deepEqual(writtenParameters("UPDATE t SET a = $2 WHERE id = $1", ["a", "b"]), ["b"]);
  });

  it("are none of a SELECT that begins with WITH", () => {
    assert.deepEqual(writtenParameters("WITH a AS (SELECT 1) SELECT * FROM a WHERE b = $1", ["a"]), []);
  });

  it("are none of other statements, nor where there are none", () => {
    assert.deepEqual(writtenParameters("SELECT * FROM t WHERE a = $1", ["a"]), []);
    assert.deepEqual(writtenParameters("DELETE FROM t WHERE a = $1", ["a"]), []);
    assert.deepEqual(writtenParameters("INSERT INTO t DEFAULT VALUES", undefined), []);
  });

  it("may have names", () => {
    assert.deepEqual(writtenParameters("INSERT INTO t VALUES (:a, :b)", { a: "x", b: "y" }), ["x", "y"]);
  });
});
