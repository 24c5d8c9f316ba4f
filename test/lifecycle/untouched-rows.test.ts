import assert from "node:assert/strict";
import type { EntityManager } from "typeorm";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { after, before, beforeEach, it } from "../support/suite.js";
import { LetterBox } from "./letter-box.js";
import { Letter } from "./letters.js";

describeOnEachDatabase("A statement that changes no row", (database) => {
  const box = LetterBox.ofSuite(database, { retryFor: 0.4 });
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  it("leaves its upload to be saved in another row", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    await manager.update(Letter, { title: "no such" }, { scan: letter.scan! });
    assert.deepEqual(await box.rows({ left: 1 }), []);
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("leaves its upload to be deleted in time", async () => {
    const { scan } = await box.attached("a");
    await manager.transaction((inner) => inner.update(Letter, { title: "no such" }, { scan: scan! }));
    await eventually(async () => assert.deepEqual(await box.rows(), []));
  });

  it("is a save whose row was deleted meanwhile", async () => {
    const letter = await box.attached("new", await box.saved("a"));
    const other = await box.saved("b");
    await manager.transaction(async (inner) => {
      await inner.query(`DELETE FROM letter WHERE id = ${letter.id}`);
      await inner.update(Letter, { id: letter.id }, { scan: letter.scan! });
    });
    assert.ok(await box.has((await box.load(other)).scan!));
  });
});

describeOnEachDatabase("A trigger of the database", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });
  const triggers: string[] = [];
  beforeEach(async () => {
    for (const trigger of triggers.splice(0)) await manager.query(trigger);
  });
  after(() => triggers.splice(0));

  it("that keeps the old value keeps the old file in its row", async () => {
    const letter = await box.saved("a", "old");
    for (const sql of keepOld(database.name)) await manager.query(sql);
    triggers.push(dropping("keep_old", database.name));
    await manager.save(await box.attached("new", letter));
    assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
    await manager.save(await box.attached("newer", await box.load(letter)), { transaction: false });
    assert.deepEqual(await box.rows({ left: 2 }), [["a", "old"]]);
  });

  it("that refuses the delete keeps the file in its row", async () => {
    const letter = await box.saved("a");
    for (const sql of refuseDelete(database.name)) await manager.query(sql);
    triggers.push(dropping("refuse_delete", database.name));
    const isError = database.name === "MariaDB";
    for (const manner of [{}, { transaction: false }]) {
      const removing = manager.remove(await box.load(letter), manner);
      await (isError ? assert.rejects(removing) : removing);
      assert.deepEqual(await box.rows(), [["a", "a"]]);
    }
    await manager.query(triggers.pop()!);
  });
});

function keepOld(database: string): string[] {
  switch (database) {
    case "PostgreSQL":
      return [
        "CREATE FUNCTION keep_old() RETURNS trigger AS 'BEGIN new.scan := old.scan; RETURN new; END' LANGUAGE plpgsql",
        "CREATE TRIGGER keep_old BEFORE UPDATE ON letter FOR EACH ROW EXECUTE FUNCTION keep_old()",
      ];
    case "MariaDB":
      return ["CREATE TRIGGER keep_old BEFORE UPDATE ON letter FOR EACH ROW SET new.scan = old.scan"];
    default:
      return [
        "CREATE TRIGGER keep_old AFTER UPDATE OF scan ON letter BEGIN UPDATE letter SET scan = old.scan WHERE id = old.id; END",
      ];
  }
}

function refuseDelete(database: string): string[] {
  switch (database) {
    case "PostgreSQL":
      return [
        "CREATE FUNCTION refuse_delete() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql",
        "CREATE TRIGGER refuse_delete BEFORE DELETE ON letter FOR EACH ROW EXECUTE FUNCTION refuse_delete()",
      ];
    case "MariaDB":
      return ["CREATE TRIGGER refuse_delete BEFORE DELETE ON letter FOR EACH ROW SIGNAL SQLSTATE '45000'"];
    default:
      return ["CREATE TRIGGER refuse_delete BEFORE DELETE ON letter BEGIN SELECT RAISE(IGNORE); END"];
  }
}

function dropping(trigger: string, database: string): string {
  return `DROP TRIGGER ${trigger}${database === "PostgreSQL" ? " ON letter" : ""}`;
}
