import assert from "node:assert/strict";
import { Column, Entity, type EntityManager, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Archive, openArchive } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { after, before, beforeEach, it } from "../support/suite.js";
import { LetterBox, otherRow, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

@Entity()
class Sealed {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column({ type: String, nullable: true }) title!: string | null;
  @PrivateFileColumn({ uploadTo: "sealed", nullable: true, select: false }) scan!: PrivateFile | null;
}

describeOnEachDatabase("A file in a column that is not selected", (database) => {
  let archive: Archive;
  let manager: EntityManager;
  let id: string;
  before(async () => {
    archive = await openArchive(database, { entities: [Sealed] });
    manager = archive.dataSource.manager;
  });
  after(() => archive.close());
  beforeEach(async () => {
    await manager.remove(await manager.find(Sealed));
    const sealed = manager.create(Sealed, { title: "a" });
    await archive.files.attach(sealed, "scan", Buffer.from("a"));
    ({ id } = await manager.save(sealed));
  });

  const load = () => manager.createQueryBuilder(Sealed, "sealed").addSelect("sealed.scan").where({ id }).getOneOrFail();

  it("is saved with an entity that was loaded with it, or without it", async () => {
    await manager.save(Object.assign(await load(), { title: "b" }));
    await manager.save(Object.assign(await manager.findOneByOrFail(Sealed, { id }), { title: "c" }));
    const { title, scan } = await load();
    assert.equal(title, "c");
    assert.deepEqual(await archive.keys(), [scan!.key]);
  });

  it("is replaced, taken out, and removed with its row, loaded or not", async () => {
    const loaded = await manager.findOneByOrFail(Sealed, { id });
    const { key } = await archive.files.attach(loaded, "scan", Buffer.from("b"));
    await manager.save(loaded);
    assert.deepEqual(await archive.keys(), [key]);
    await manager.remove(await manager.findOneByOrFail(Sealed, { id }));
    assert.deepEqual(await archive.keys(), []);
  });

  it("is refused when it was replaced since it was loaded", async () => {
    const stale = await load();
    const fresh = await load();
    const { key } = await archive.files.attach(fresh, "scan", Buffer.from("b"));
    await manager.save(fresh);
    await assert.rejects(manager.save(Object.assign(stale, { title: "b" })), otherRow);
    assert.deepEqual(await archive.keys(), [key]);
  });
});

describeOnEachDatabase("A file that stays in its row", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  it("is saved with a spread copy of the loaded entity", async () => {
    const loaded = await box.load(await box.saved("a"));
    await manager.save(Letter, { ...loaded, title: "b" });
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("is saved with an entity that create made of the loaded one", async () => {
    const loaded = await box.load(await box.saved("a"));
    await manager.save(manager.create(Letter, { ...loaded, title: "b" }));
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("is saved with an entity that the loaded one was merged into", async () => {
    const { id } = await box.saved("a");
    const merged = manager.merge(Letter, new Letter(), await box.load({ id }), { title: "b" });
    await manager.save(merged);
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("is saved with an entity that preload made of the loaded one", async () => {
    const { id, scan } = await box.load(await box.saved("a"));
    const preloaded = await manager.preload(Letter, { id, scan: scan!, title: "b" });
    await manager.save(preloaded!);
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("is saved by update with a spread copy of the loaded entity", async () => {
    const loaded = await box.load(await box.saved("a"));
    await box.saved("other");
    await manager.update(Letter, loaded.id, { ...loaded, title: "b" });
    assert.deepEqual(await box.rows(), [
      ["b", "a"],
      ["other", "other"],
    ]);
  });

  it("is saved by update with a spread copy in a transaction, which may be rolled back", async () => {
    const loaded = await box.load(await box.saved("a"));
    await undone(manager, (inner) => inner.update(Letter, loaded.id, { ...loaded, title: "b" }));
    await manager.transaction((inner) => inner.update(Letter, loaded.id, { ...loaded, title: "c" }));
    assert.deepEqual(await box.rows(), [["c", "a"]]);
  });

  it("is saved by a query builder whose values hold its primary key", async () => {
    const { id, scan } = await box.load(await box.saved("a"));
    await manager.createQueryBuilder().update(Letter).set({ id, scan, title: "b" }).where({ id }).execute();
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("comes back with a row that is soft-removed and recovered", async () => {
    const letter = await box.saved("a");
    await manager.softRemove(letter);
    await manager.recover(await box.load(letter));
    assert.equal(await manager.countBy(Letter, {}), 1);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("may be saved again and again by the same entity, in one transaction or in several", async () => {
    const letter = await box.saved("a");
    await manager.transaction(async (inner) => {
      for (const title of ["b", "c"]) await inner.save(Object.assign(letter, { title }));
    });
    for (const title of ["d", "e"]) await manager.save(Object.assign(letter, { title }));
    assert.deepEqual(await box.rows(), [["e", "a"]]);
  });
});

describeOnEachDatabase("An upload", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  it("is saved by an array that has an entity twice", async () => {
    const letter = await box.attached("new", await box.saved("a"));
    await manager.save([letter, letter]);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("replaces an upload that the same transaction wrote before", async () => {
    const letter = await box.saved("a", "first");
    await manager.transaction(async (inner) => {
      for (const content of ["second", "third"]) await inner.save(await box.attached(content, letter));
    });
    assert.deepEqual(await box.rows(), [["a", "third"]]);
  });

  it("leaves the first file where the transaction that replaced it twice is rolled back", async () => {
    const letter = await box.saved("a", "first");
    await undone(manager, async (inner) => {
      for (const content of ["second", "third"]) await inner.save(await box.attached(content, letter));
    });
    assert.deepEqual(await box.rows({ left: 2 }), [["a", "first"]]);
  });

  it("may be saved again with the id that TypeORM set, after the transaction was rolled back", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    await undone(manager, (inner) => inner.save(letter));
    assert.ok(letter.id);
    await manager.transaction((inner) => inner.save(letter));
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("may be saved again by the form that was corrected after a unique violation", async () => {
    await box.saved("taken");
    const letter = await box.attached("a", manager.create(Letter, { title: "taken" }));
    await assert.rejects(manager.save(letter), { name: "QueryFailedError" });
    await manager.save(Object.assign(letter, { title: "free" }));
    assert.deepEqual(await box.rows(), [
      ["taken", "taken"],
      ["free", "a"],
    ]);
  });

  it("may be saved again after a unique violation of an update, which leaves the file that the row has", async () => {
    await box.saved("taken");
    const letter = await box.attached("new", await box.saved("b", "old"));
    await assert.rejects(manager.save(Object.assign(letter, { title: "taken" })), { name: "QueryFailedError" });
    assert.deepEqual((await box.rows({ left: 1 }))[1], ["b", "old"]);
    await manager.save(Object.assign(letter, { title: "free" }));
    assert.deepEqual((await box.rows())[1], ["free", "new"]);
  });

  it("may be saved again without a transaction after a unique violation", async () => {
    await box.saved("taken");
    const letter = await box.attached("a", manager.create(Letter, { title: "taken" }));
    await assert.rejects(manager.save(letter, { transaction: false }), { name: "QueryFailedError" });
    await manager.save(Object.assign(letter, { title: "free" }), { transaction: false });
    assert.deepEqual((await box.rows())[1], ["free", "a"]);
  });

  it("may be saved again in the same transaction after a savepoint was rolled back", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    await manager.transaction(async (inner) => {
      await undone(inner, (nested) => nested.save(letter));
      await inner.save(letter);
    });
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is saved with a hook that fails first and works then", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    reactions.beforeInsert = () => Promise.reject(new Error("Closed on Sundays."));
    await assert.rejects(manager.save(letter), { message: "Closed on Sundays." });
    delete reactions.beforeInsert;
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });
});
