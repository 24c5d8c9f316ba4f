import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { DataSource, QueryRunner } from "typeorm";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { ColumnStorages } from "../../src/column/column-storages.js";
import type { FileRecord } from "../../src/column/private-file.js";
import { verbOf } from "../../src/database/statement.js";
import { FileChanges } from "../../src/lifecycle/file-changes.js";
import { Ledger } from "../../src/lifecycle/ledger/ledger.js";

type Answer = Partial<Parameters<Ledger["answered"]>[0]>;

/** A ledger, and the keys of the uploads of each outcome. */
class Trace {
  readonly ledger: Ledger;

  constructor(type: string) {
    this.ledger = new Ledger({ dataSource: { options: { type } } } as QueryRunner);
  }

  /** Sends statements, which are answered without an error. */
  run(...statements: string[]): this {
    for (const sql of statements) this.answer(sql);
    return this;
  }

  answer(sql: string, { success = true, raw, error }: Answer = {}): this {
    const verb = verbOf(sql);
    this.ledger.sending({ sql, verb });
    this.ledger.answered({ sql, verb, success, raw, error });
    return this;
  }

  /** Notes that a statement wrote an upload. */
  write(key: string): this {
    this.ledger.add({ upload: uploadOf(key) });
    return this;
  }

  /** What ended since, and the uploads that were announced. */
  take(): Record<string, string[]> {
    const outcome = this.ledger.take();
    const keys = (["committed", "undone", "unknown"] as const).map((name) => [
      name,
      outcome?.[name].map(({ upload }) => upload!.key) ?? [],
    ]);
    const announced = [...(outcome?.announced ?? [])].map(({ key }) => key);
    return Object.fromEntries([...keys, ["announced", announced]].filter(([, found]) => found!.length > 0));
  }
}

function uploadOf(key: string): FileRecord {
  return { key, state: "written" };
}

describe("A ledger", () => {
  let trace: Trace;
  beforeEach(() => {
    trace = new Trace("sqljs");
  });

  it("commits what is written outside a transaction with its statement", () => {
    trace.write("a").run("UPDATE t SET a = 1");
    assert.deepEqual(trace.take(), { committed: ["a"] });
    assert.deepEqual(trace.take(), {});
  });

  it("keeps what is written in a transaction until that is over", () => {
    trace.run("BEGIN").write("a").run("SELECT 1");
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [true, {}]);
    trace.run("COMMIT");
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [false, { committed: ["a"] }]);
    trace.run("BEGIN").write("b").run("ROLLBACK");
    assert.deepEqual(trace.take(), { undone: ["b"] });
  });

  it("merges a released savepoint and all above it into the frame below", () => {
    trace.run("BEGIN", "SAVEPOINT a").write("1").run("SAVEPOINT b").write("2").run("RELEASE a");
    trace.run("ROLLBACK TO a").run("COMMIT");
    assert.deepEqual(trace.take(), { committed: ["1", "2"] });
  });

  it("undoes a savepoint and all above it, and leaves it open and empty", () => {
    trace.run("BEGIN").write("0").run("SAVEPOINT a").write("1").run("SAVEPOINT b").write("2").run("ROLLBACK TO a");
    assert.deepEqual(trace.take(), { undone: ["2", "1"] });
    trace.write("3").run("ROLLBACK TO a").write("4").run("COMMIT");
    assert.deepEqual(trace.take(), { undone: ["3"], committed: ["0", "4"], announced: ["2", "1", "3"] });
  });

  it("takes the last savepoint of a name for it, whatever its case", () => {
    trace.run("BEGIN", "SAVEPOINT a").write("1").run("SAVEPOINT A").write("2").run("ROLLBACK TO a");
    assert.deepEqual(trace.take(), { undone: ["2"] });
    trace.run("RELEASE a", "ROLLBACK TO a");
    assert.deepEqual(trace.take(), { undone: ["1"] });
  });

  it("takes no notice of a transaction statement that fails, but for a ROLLBACK", () => {
    trace.run("BEGIN").write("a").answer("COMMIT", { success: false }).answer("SAVEPOINT s", { success: false });
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [true, {}]);
    trace.answer("ROLLBACK", { success: false });
    assert.deepEqual(trace.take(), { unknown: ["a"] });
  });

  it("is rolled back when its connection is lost, unless COMMIT was sent", () => {
    trace.run("BEGIN").write("a").ledger.lose();
    assert.deepEqual(trace.take(), { undone: ["a"] });
    trace.run("BEGIN").write("b").ledger.sending({ sql: "COMMIT", verb: "COMMIT" });
    trace.ledger.lose();
    assert.deepEqual(trace.take(), { unknown: ["b"] });
  });

  it("tells of an upload that was announced once its transaction is over", () => {
    trace.run("BEGIN", "SAVEPOINT a").ledger.announce(uploadOf("a"));
    trace.run("ROLLBACK TO a");
    assert.deepEqual(trace.take(), {});
    trace.run("COMMIT");
    assert.deepEqual(trace.take(), { announced: ["a"] });
  });

  it("counts each begin and end of a transaction or a savepoint", () => {
    const epochs = ["BEGIN", "SAVEPOINT a", "SELECT 1", "ROLLBACK TO a", "RELEASE a", "COMMIT"].map((sql) => {
      trace.run(sql);
      return trace.ledger.epoch;
    });
    assert.deepEqual(epochs, [1, 2, 2, 3, 4, 5]);
  });
});

describe("A ledger of MariaDB", () => {
  const open = { serverStatus: 1 };
  const closed = { serverStatus: 0 };
  let trace: Trace;
  beforeEach(() => {
    trace = new Trace("mariadb");
  });

  it("opens a transaction that only the server tells of, and ends it with that", () => {
    trace.write("a").answer("UPDATE t SET a = 1", { raw: open });
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [true, {}]);
    trace.answer("ROLLBACK", { raw: closed });
    assert.deepEqual(trace.take(), { undone: ["a"] });
  });

  it("is committed by DDL and by another BEGIN, and is unknown after a procedure", () => {
    trace.answer("BEGIN", { raw: open }).write("a").answer("CREATE TABLE t (id int)", { raw: closed });
    assert.deepEqual(trace.take(), { committed: ["a"] });
    trace.answer("BEGIN", { raw: open }).write("b").answer("BEGIN", { raw: open });
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [true, { committed: ["b"] }]);
    trace.write("c").answer("CALL p()", { raw: closed });
    assert.deepEqual(trace.take(), { unknown: ["c"] });
  });

  it("is rolled back by a deadlock", () => {
    const error = { errno: 1213, sqlState: "40001" };
    trace.answer("BEGIN", { raw: open }).write("a").answer("UPDATE t SET a = 1", { success: false, error });
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [false, { undone: ["a"] }]);
  });

  it("is unknown outside a transaction when the answer is lost, and undone in one", () => {
    const lost = { success: false, error: { code: "PROTOCOL_CONNECTION_LOST" } };
    trace.write("a").answer("UPDATE t SET a = 1", lost);
    assert.deepEqual(trace.take(), { unknown: ["a"] });
    trace.answer("BEGIN", { raw: open }).write("b").answer("UPDATE t SET a = 1", lost).answer("ROLLBACK", lost);
    assert.deepEqual(trace.take(), { undone: ["b"] });
  });
});

describe("A ledger of PostgreSQL", () => {
  it("is undone by a COMMIT that is answered with ROLLBACK, and goes on after another BEGIN", () => {
    const trace = new Trace("postgres").run("BEGIN").write("a").run("BEGIN");
    assert.deepEqual([trace.ledger.isOpen, trace.take()], [true, {}]);
    trace.answer("COMMIT", { raw: { command: "ROLLBACK" } });
    assert.deepEqual(trace.take(), { undone: ["a"] });
  });

  it("notes a setting of the transaction until that is over", () => {
    const trace = new Trace("postgres").run("BEGIN", "SET LOCAL search_path TO tenant");
    assert.equal(trace.ledger.hasLocalSettings, true);
    trace.write("a").run("COMMIT");
    assert.equal(trace.ledger.hasLocalSettings, false);
    assert.equal(trace.ledger.take()!.hadLocalSettings, true);
  });
});

describe("A statement that concerns no private column", () => {
  it("is followed in little time", (t) => {
    const runner = { dataSource: { options: { type: "postgres" } } } as QueryRunner;
    const changes = new FileChanges(
      new ColumnStorages(
        ColumnSet.of({ isInitialized: true, entityMetadatas: [] } as unknown as DataSource),
        undefined,
      ),
    );
    const ledger = new Ledger(runner);
    const sql = `SELECT "user"."id" AS "user_id", "user"."name" AS "user_name" FROM "user" WHERE "user"."id" = $1 LIMIT 1`;
    const rounds = 200_000;
    const follow = () => {
      const sent = { sql, parameters: [7], verb: verbOf(sql) };
      changes.claims.sending(ledger, sent);
      ledger.sending(sent);
      const answered = { sql, parameters: [7], verb: verbOf(sql), success: true, raw: {} };
      changes.answered(ledger, answered);
      ledger.answered(answered);
    };
    const elapsed = [0, 0, 0].map(() => {
      const start = performance.now();
      for (let count = 0; count < rounds; count++) follow();
      return performance.now() - start;
    });
    t.diagnostic(`${((Math.min(...elapsed) / rounds) * 1000).toFixed(2)} µs for each statement`);
    assert.equal(ledger.hasOutcome, false);
  });
});
