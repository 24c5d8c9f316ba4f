import assert from "node:assert/strict";
import type { EntityManager } from "typeorm";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { LetterBox, otherRow, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

describeOnEachDatabase("A key in a statement", (database) => {
  const box = LetterBox.ofSuite(database);
  const placeholder = database.name === "PostgreSQL" ? "$1" : "?";
  let manager: EntityManager;
  before(async () => {
    manager = box.manager;
    await manager.query("CREATE TABLE journal (line varchar(255))");
  });

  it("is written into another table, such as a journal of downloads", async () => {
    const { scan } = await box.saved("a");
    await manager.query(`INSERT INTO journal (line) VALUES (${placeholder})`, [scan!.key]);
    await manager.query(`UPDATE journal SET line = ${placeholder}`, [scan!.key]);
    assert.deepEqual(await manager.query("SELECT line FROM journal"), [{ line: scan!.key }]);
  });

  it("finds its row by a query builder, by find, and by a common table expression", async () => {
    const { scan } = await box.saved("a");
    const { key } = scan!;
    assert.ok(await manager.findOneBy(Letter, { scan: scan! }));
    const builder = () => manager.createQueryBuilder(Letter, "letter").where("letter.scan = :key", { key });
    assert.ok(await builder().getOne());
    assert.ok(await builder().addCommonTableExpression("SELECT 1 AS one", "numbers").getOne());
  });

  it("chooses the row of an update of something else", async () => {
    const { scan } = await box.saved("a");
    const update = manager.createQueryBuilder().update(Letter).set({ title: "b" });
    await update.where("scan = :key", { key: scan!.key }).execute();
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("is seen behind an expression that has a WHERE of its own", async () => {
    const stale = await box.load(await box.saved("a"));
    const letter = await box.saved("b");
    const title = () => "(SELECT 'c' WHERE 1 = 1)";
    reactions.beforeUpdate = async ({ entity }) => {
      await Promise.resolve();
      entity!.scan = stale.scan;
    };
    const update = (scan: Letter["scan"]) =>
      manager.createQueryBuilder().update(Letter).set({ title, scan }).where({ id: letter.id }).execute();
    await assert.rejects(update(null), otherRow);
    delete reactions.beforeUpdate;
    await assert.rejects(async () => update(stale.scan), otherRow);

    const { scan } = await box.attached("new");
    await undone(manager, (inner) =>
      inner.createQueryBuilder().update(Letter).set({ title, scan }).where({ id: letter.id }).execute(),
    );
    await update(scan);
    await assert.rejects(manager.save(manager.create(Letter, { scan })), otherRow);
    const rows = await manager.find(Letter, { order: { id: "ASC" } });
    assert.deepEqual(
      rows.map((row) => [row.title, row.scan!.key]),
      [
        ["a", stale.scan!.key],
        ["c", scan!.key],
      ],
    );
  });

  it("of an upload makes it the file of the row that raw SQL writes, and of no other", async () => {
    const letter = await box.attached("a");
    const insert = `INSERT INTO letter (title, scan) VALUES ('a', ${placeholder})`;
    await undone(manager, (inner) => inner.query(insert, [letter.scan!.key]));
    await manager.query(insert, [letter.scan!.key]);
    const { code } = otherRow;
    await assert.rejects(manager.query(insert.replace("'a'", "'b'"), [letter.scan!.key]), { code });
    await assert.rejects(manager.save(letter), { code });
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is refused when it belongs to another row, though the statement has the key as its last placeholder", async () => {
    const [{ scan }, letter] = [await box.saved("a"), await box.saved("b")];
    const [first, second] = database.name === "PostgreSQL" ? ["$2", "$1"] : ["?", "?"];
    const parameters = database.name === "PostgreSQL" ? [letter.id, scan!.key] : [scan!.key, letter.id];
    const update = `UPDATE letter SET scan = ${first} WHERE id = ${second}`;
    await assert.rejects(manager.query(update, parameters), otherRow);
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["b", "b"],
    ]);
  });
});
