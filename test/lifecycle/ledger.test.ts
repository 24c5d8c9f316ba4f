import assert from "node:assert/strict";
import type { EntityManager, QueryRunner } from "typeorm";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres, sqljs } from "../support/databases.js";
import { afterEach, before, beforeEach, it } from "../support/suite.js";
import { LetterBox, undone } from "./letter-box.js";
import { Letter } from "./letters.js";

const RAW = { transaction: false };

describeOnEachDatabase("A transaction of raw SQL through one query runner", (database) => {
  const box = LetterBox.ofSuite(database);
  let runner: QueryRunner;
  let letter: Letter;
  beforeEach(async () => {
    letter = await box.saved("a", "old");
    runner = box.dataSource.createQueryRunner();
  });
  afterEach(() => runner.release());

  it("deletes nothing before COMMIT, and the old file with it", async () => {
    await runner.query("BEGIN");
    await runner.manager.save(await box.attached("new", letter), RAW);
    assert.equal((await box.keys()).length, 2);
    await runner.query("COMMIT");
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("keeps a removed file when it is rolled back", async () => {
    await runner.query("BEGIN");
    await runner.manager.remove(letter, RAW);
    await runner.query("ROLLBACK");
    assert.deepEqual(await box.rows(), [["a", "old"]]);
  });

  it("lets an upload be saved again when it is rolled back", async () => {
    await box.attached("new", letter);
    await runner.query("BEGIN");
    await runner.manager.save(letter, RAW);
    await runner.query("ROLLBACK");
    assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
    await box.manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("undoes what a savepoint did, however deep, and keeps the rest", async () => {
    const other = await box.saved("b");
    await runner.query("BEGIN");
    await runner.query("SAVEPOINT one");
    await runner.query('savepoint "Two"'.replaceAll('"', database === mariadb ? "`" : '"'));
    await runner.manager.remove(await box.load(other, runner.manager), RAW);
    await runner.query("RELEASE SAVEPOINT `Two`".replaceAll("`", database === mariadb ? "`" : '"'));
    await runner.query("ROLLBACK TO SAVEPOINT one");
    await runner.manager.save(await box.attached("new", letter), RAW);
    await runner.query("COMMIT");
    assert.deepEqual(await box.rows(), [
      ["a", "new"],
      ["b", "b"],
    ]);
  });

  it("keeps what was done before a savepoint that is rolled back twice", async () => {
    await runner.query("BEGIN");
    await runner.manager.save(await box.attached("new", letter), RAW);
    await runner.query("SAVEPOINT one");
    for (const content of ["newer", "newest"]) {
      await runner.manager.save(await box.attached(content, await box.load(letter, runner.manager)), RAW);
      await runner.query("ROLLBACK TO one");
    }
    await runner.query("RELEASE SAVEPOINT one");
    await runner.query("COMMIT");
    assert.deepEqual(await box.rows({ left: 2 }), [["a", "new"]]);
  });

  it("takes the last savepoint of a name for that name", async () => {
    await runner.query("BEGIN");
    await runner.query("SAVEPOINT twice");
    await runner.manager.save(await box.attached("new", letter), RAW);
    await runner.query("SAVEPOINT other");
    await runner.query("SAVEPOINT twice");
    await runner.manager.remove(await box.load(letter, runner.manager), RAW);
    await runner.query("ROLLBACK TO SAVEPOINT twice");
    await runner.query("COMMIT");
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("mixes with savepoints of TypeORM's", async () => {
    const other = await box.saved("b");
    await box.manager.transaction(async (inner) => {
      await inner.query("SAVEPOINT mine");
      await undone(inner, async (nested) => nested.remove(await box.load(other, nested)));
      await inner.transaction(async (nested) => nested.save(await box.attached("new", letter)));
      await inner.query("RELEASE SAVEPOINT mine");
      await inner.query("SAVEPOINT mine");
      await inner.remove(await box.load(other, inner));
      await inner.query("ROLLBACK TO SAVEPOINT mine");
    });
    assert.deepEqual(await box.rows(), [
      ["a", "new"],
      ["b", "b"],
    ]);
  });

  it("goes on after a comment, in any case, and with a semicolon", async () => {
    await runner.query("/* by hand */ begin;");
    await runner.query("-- a note\nsavepoint S1;");
    await runner.manager.remove(letter, RAW);
    await runner.query("rollback to s1;");
    await runner.query("commit;");
    assert.deepEqual(await box.rows(), [["a", "old"]]);
  });
});

describeOnEachDatabase(
  "A transaction of PostgreSQL",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let manager: EntityManager;
    before(() => {
      manager = box.manager;
    });

    it("whose COMMIT is answered with ROLLBACK lets its uploads be saved again, and keeps what it replaced", async () => {
      const letter = await box.attached("new", await box.saved("a", "old"));
      const removed = await box.saved("b");
      await manager.transaction(async (inner) => {
        await inner.save(letter);
        await inner.remove(await box.load(removed, inner));
        await assert.rejects(inner.query("SELECT nonsense"));
      });
      assert.deepEqual(await box.rows({ left: 1 }), [
        ["a", "old"],
        ["b", "b"],
      ]);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [
        ["a", "new"],
        ["b", "b"],
      ]);
    });

    it("whose COMMIT fails lets its uploads be saved again, and keeps what it replaced", async () => {
      await manager.query("CREATE TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
      const letter = await box.attached("new", await box.saved("a", "old"));
      const transaction = manager.transaction(async (inner) => {
        await inner.save(letter);
        await inner.query("INSERT INTO deferred VALUES (1), (1)");
      });
      await assert.rejects(transaction, { code: "23505" });
      assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that is begun twice is one transaction", async () => {
      const letter = await box.attached("new", await box.saved("a", "old"));
      const runner = box.dataSource.createQueryRunner();
      await runner.query("BEGIN");
      await runner.manager.save(letter, RAW);
      await runner.query("BEGIN");
      await runner.query("ROLLBACK");
      await runner.release();
      assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that is chained to another one starts anew", async () => {
      const letter = await box.attached("new", await box.saved("a", "old"));
      const runner = box.dataSource.createQueryRunner();
      await runner.query("BEGIN");
      await runner.manager.save(letter, RAW);
      await runner.query("COMMIT AND CHAIN");
      await runner.manager.remove(await box.load(letter, runner.manager), RAW);
      await runner.query("ROLLBACK");
      await runner.release();
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that a text of several statements ends is followed", async () => {
      const letter = await box.attached("new", await box.saved("a", "old"));
      const runner = box.dataSource.createQueryRunner();
      await runner.query("BEGIN; SELECT 1");
      await runner.manager.save(letter, RAW);
      await runner.query("SELECT 1; ROLLBACK");
      await runner.release();
      assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });
  },
  [postgres],
);

describeOnEachDatabase(
  "A transaction of MariaDB",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let manager: EntityManager;
    let runner: QueryRunner;
    let letter: Letter;
    before(() => {
      manager = box.manager;
    });
    beforeEach(async () => {
      letter = await box.saved("a", "old");
      runner = box.dataSource.createQueryRunner();
    });
    afterEach(async () => {
      await runner.query("SET autocommit = 1");
      await runner.release();
    });

    it("with autocommit = 0 keeps what it removed when it is rolled back", async () => {
      await runner.query("SET autocommit = 0");
      await runner.manager.remove(letter, RAW);
      await runner.query("ROLLBACK");
      assert.deepEqual(await box.rows(), [["a", "old"]]);
    });

    it("with autocommit = 0 deletes what it replaced when it is committed", async () => {
      await runner.query("SET autocommit = 0");
      await runner.manager.save(await box.attached("new", letter), RAW);
      assert.equal((await box.keys()).length, 2);
      await runner.query("COMMIT");
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("with autocommit = 0 lets an upload be saved again when it is rolled back", async () => {
      await runner.query("SET autocommit = 0");
      await box.attached("new", letter);
      await runner.manager.save(letter, RAW);
      await runner.query("ROLLBACK");
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that begins another one is committed by that", async () => {
      await runner.query("BEGIN");
      await runner.manager.save(await box.attached("new", letter), RAW);
      await runner.query("START TRANSACTION");
      await runner.manager.remove(await box.load(letter, runner.manager), RAW);
      await runner.query("ROLLBACK");
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that a statement of DDL commits keeps what is committed, though TypeORM rolls back", async () => {
      const inserted = await box.attached("b", manager.create(Letter, { title: "b" }));
      await box.attached("new", letter);
      await undone(manager, async (inner) => {
        await inner.save([letter, inserted]);
        await inner.query("CREATE TABLE IF NOT EXISTS ddl (id int)");
      });
      assert.deepEqual(await box.rows(), [
        ["a", "new"],
        ["b", "b"],
      ]);
    });

    it("that a procedure ends has an unknown outcome: nothing is deleted, and the same row may get the upload again", async () => {
      await runner.query("CREATE OR REPLACE PROCEDURE give_up() ROLLBACK");
      await runner.query("CREATE OR REPLACE PROCEDURE finish() COMMIT");
      await box.attached("new", letter);
      for (const procedure of ["give_up", "finish"]) {
        await runner.query("BEGIN");
        await runner.manager.save(letter, RAW);
        await runner.query(`CALL ${procedure}()`);
        assert.deepEqual(await box.rows({ left: 1 }), [["a", procedure === "finish" ? "new" : "old"]]);
      }
    });

    it("that goes on after a block of statements keeps what it removed when it is rolled back", async () => {
      await box.attached("new", letter);
      await runner.query("BEGIN");
      await runner.manager.save(letter, RAW);
      await runner.query("BEGIN NOT ATOMIC SELECT 1; END");
      await runner.query("ROLLBACK /* to be safe */");
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("that goes on without a transaction after DDL has each statement committed by itself", async () => {
      await undone(manager, async (inner) => {
        await inner.query("CREATE TABLE IF NOT EXISTS ddl (id int)");
        await inner.save(await box.attached("new", letter));
        await inner.save(await box.attached("newer", letter));
      });
      assert.deepEqual(await box.rows(), [["a", "newer"]]);
    });

    it("that is ended by a savepoint's name is followed with quotes and without", async () => {
      await manager.transaction(async (inner) => {
        await inner.query("SAVEPOINT `Here`");
        await inner.remove(letter);
        await inner.query("ROLLBACK WORK TO SAVEPOINT HERE");
      });
      assert.deepEqual(await box.rows(), [["a", "old"]]);
    });

    it("that is released and chained starts anew", async () => {
      await runner.query("BEGIN");
      await runner.manager.save(await box.attached("new", letter), RAW);
      await runner.query("COMMIT AND CHAIN");
      await runner.manager.remove(await box.load(letter, runner.manager), RAW);
      await runner.query("ROLLBACK");
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });
  },
  [mariadb],
);

describeOnEachDatabase(
  "A transaction of SQLite",
  (database) => {
    const box = LetterBox.ofSuite(database);

    it("that SQLite itself rolls back keeps what it replaced", async () => {
      const { manager, dataSource } = box;
      const letter = await box.attached("new", await box.saved("a", "old"));
      await box.saved("taken");
      const runner = dataSource.createQueryRunner();
      await runner.query("BEGIN");
      await runner.manager.save(letter, RAW);
      await assert.rejects(runner.query("INSERT OR ROLLBACK INTO letter (title) VALUES ('taken')"));
      // As TypeORM does it. sql.js does not tell before that its transaction has ended.
      await assert.rejects(runner.query("ROLLBACK"));
      assert.deepEqual((await box.rows({ left: 1 }))[0], ["a", "old"]);
      await manager.save(letter);
      assert.deepEqual((await box.rows())[0], ["a", "new"]);
    });

    it("takes a savepoint outside a transaction for one", async () => {
      const letter = await box.attached("new", await box.saved("a", "old"));
      const runner = box.dataSource.createQueryRunner();
      await runner.query("SAVEPOINT outer_one");
      await runner.manager.save(letter, RAW);
      assert.equal((await box.keys()).length, 2);
      await runner.query("ROLLBACK TO outer_one");
      await runner.query("RELEASE outer_one");
      assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
      await runner.query("SAVEPOINT outer_one");
      await runner.manager.save(letter, RAW);
      await runner.query("RELEASE outer_one");
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });
  },
  [sqljs, betterSqlite3],
);
