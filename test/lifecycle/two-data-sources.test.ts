import assert from "node:assert/strict";
import { DataSource, type EntityManager } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { LetterBox, otherRow, undone } from "./letter-box.js";
import { Letter } from "./letters.js";

const OTHER_SOURCE = {
  code: "ERR_PRIVATE_FILE_OTHER_ROW",
  message: /another data source\. Attach it with the PrivateFiles of the data source that saves it\.$/,
};

describeOnEachDatabase(
  "Two data sources of one database",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let manager: EntityManager;
    let neighbour: { dataSource: DataSource; files: PrivateFiles };
    before(async () => {
      manager = box.manager;
      neighbour = await box.neighbour();
    });

    it("refuse each other's uploads, which stay for the data source that they were attached for", async () => {
      const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
      const theirs = neighbour.dataSource.manager;
      await assert.rejects(theirs.save(letter), { ...OTHER_SOURCE, message: /^Letter\.scan: .*another data source\./ });
      await assert.rejects(async () => theirs.insert(Letter, { title: "a", scan: letter.scan }), OTHER_SOURCE);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "a"]]);
    });

    it("refuse an upload, before anything is written, when one of them has no PrivateFiles", async () => {
      const bare = await new DataSource({ ...neighbour.dataSource.options }).initialize();
      box.beforeClose(() => bare.destroy());
      const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
      const message = /^Letter\.scan: no PrivateFiles was made for the data source that saves the upload\. /;
      const writes = [
        () => bare.manager.save(Letter, { ...letter }),
        () => bare.manager.save(Letter, { ...letter }, { listeners: false, transaction: false }),
        () => bare.manager.insert(Letter, { title: "a", scan: letter.scan }),
        () => bare.manager.createQueryBuilder().update(Letter).set({ scan: letter.scan! }).execute(),
      ];
      for (const write of writes) {
        await assert.rejects(async () => write(), { code: "ERR_PRIVATE_FILE_OTHER_ROW", message });
      }
      assert.equal(await manager.count(Letter), 0);
      await manager.save(letter);
      const loaded = await bare.manager.findOneByOrFail(Letter, { id: letter.id });
      await bare.manager.save(Object.assign(loaded, { title: "b" }));
      await bare.manager.save(Letter, { title: "c", scan: null });
      assert.deepEqual(await box.rows(), [
        ["b", "a"],
        ["c", null],
      ]);
    });

    it("do not lose an upload that the one refused while the other rolled back", async () => {
      const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
      await undone(manager, (inner) => inner.save(letter));
      delete (letter as Partial<Letter>).id;
      await assert.rejects(neighbour.dataSource.manager.save(letter), OTHER_SOURCE);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "a"]]);
    });

    it("refuse to move a file between rows while the other removes the first row", async () => {
      const first = await box.saved("a");
      const second = await box.saved("b");
      const theirs = neighbour.dataSource.manager;
      const [mine, other] = [await box.load(first), await box.load(second)];
      other.scan = mine.scan;
      const moves = [
        () => manager.save(other),
        () => manager.save(other, { transaction: false }),
        () => manager.update(Letter, second.id, { scan: mine.scan! }),
        () => manager.insert(Letter, { title: "c", scan: mine.scan }),
      ].map((move) => assert.rejects(async () => move(), otherRow));
      await Promise.all([...moves, theirs.remove(await box.load(first, theirs))]);
      assert.deepEqual(await box.rows(), [["b", "b"]]);
    });

    it("keep a file that SQL copied to another row when the first is removed", async () => {
      const first = await box.saved("a");
      await box.saved("b", "b");
      const theirs = neighbour.dataSource.manager;
      await manager.query(`UPDATE letter SET photo = (SELECT * FROM (SELECT scan FROM letter WHERE title = 'a') AS a)`);
      await theirs.remove(await box.load(first, theirs));
      const [{ photo }] = (await manager.find(Letter)) as [Letter];
      assert.ok(await box.has(photo!));
    });

    it("refuse a file that a savepoint took out and brought back while the other replaced it", async () => {
      const letter = await box.saved("a", "old");
      const loaded = await box.load(letter);
      const other = await box.saved("b");
      await manager.transaction((inner) =>
        undone(inner, async (nested) => nested.save(Object.assign(await box.load(letter, nested), { scan: null }))),
      );
      const theirs = await box.load(letter, neighbour.dataSource.manager);
      await neighbour.dataSource.manager.save(await box.attached("new", theirs, neighbour.files));
      await assert.rejects(manager.save(Object.assign(other, { scan: loaded.scan })), otherRow);
      await assert.rejects(manager.save(Object.assign(loaded, { title: "c" })), otherRow);
      assert.deepEqual(await box.rows(), [
        ["a", "new"],
        ["b", "b"],
      ]);
    });
  },
  [betterSqlite3, postgres, mariadb],
);
