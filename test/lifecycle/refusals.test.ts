import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { describeOnEachDatabase, mariadb } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { updateAll } from "../support/typeorm.js";
import { LetterBox, otherRow, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

const SAVING = { code: "ERR_PRIVATE_FILE_OTHER_ROW", message: /Attach a file for each row, and save an entity once/ };

describeOnEachDatabase("A second row with a file", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  /** Tries something by itself, then in a transaction, which goes on after the refusal. */
  async function refuses(expected: object, tried: (manager: EntityManager) => Promise<unknown>): Promise<void> {
    const before = await box.rows();
    await assert.rejects(async () => tried(manager), expected);
    await manager.transaction(async (inner) => {
      await assert.rejects(async () => tried(inner), expected);
      await inner.save(inner.create(Letter, { title: "later" }));
    });
    assert.deepEqual(await box.rows(), [...before, ["later", null]]);
    await manager.delete(Letter, { title: "later" });
    assert.deepEqual(await box.rows(), before);
  }

  it("is refused when a loaded file is put into another entity", async () => {
    const { scan } = await box.load(await box.saved("a"));
    await refuses(otherRow, (open) => open.save(manager.create(Letter, { scan })));
    await refuses(otherRow, (open) => open.save(manager.create(Letter, { scan }), { transaction: false }));
    await refuses(otherRow, (open) => open.insert(Letter, { scan }));
  });

  it("is refused when a loaded entity is saved without its primary key", async () => {
    const loaded = await box.load(await box.saved("a"));
    const copy = () => manager.create(Letter, { ...loaded, id: undefined, title: "copy" });
    await refuses(otherRow, (open) => open.save(copy()));
  });

  it("is refused when an existing row is to get a loaded file", async () => {
    const { scan } = await box.load(await box.saved("a"));
    const { id } = await box.saved("b");
    const values = { scan: scan! };
    await refuses(otherRow, (open) => open.save(Letter, { id, ...values }));
    await refuses(otherRow, (open) => open.save(Letter, { id, ...values }, { transaction: false }));
    await refuses(otherRow, (open) => open.update(Letter, { id }, values));
    await refuses(otherRow, (open) => open.update(Letter, { id }, { id, ...values }));
    await refuses(otherRow, (open) => open.createQueryBuilder().update(Letter).set(values).where({ id }).execute());
  });

  it("is refused when update is to write a spread copy into another row", async () => {
    const loaded = await box.load(await box.saved("a"));
    const { id } = await box.saved("b");
    const values = { ...loaded, title: "c" };
    // The database refuses it: the values hold the primary key of the first row.
    await assert.rejects(manager.update(Letter, { id }, values), { name: "QueryFailedError" });
    await assert.rejects(async () => manager.update(Letter, { id }, { ...values, id }), otherRow);
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  it("is refused by an upsert of a loaded file, even for its own row", async () => {
    const loaded = await box.load(await box.saved("a"));
    await refuses(otherRow, (open) => open.upsert(Letter, { ...loaded }, ["id"]));
    await refuses(otherRow, (open) => open.upsert(Letter, { title: "a", scan: loaded.scan! }, ["title"]));
  });

  it("is refused when two entities have the same upload", async () => {
    const first = await box.attached("a", manager.create(Letter, { title: "a" }));
    const second = manager.create(Letter, { title: "b", scan: first.scan });
    await assert.rejects(manager.save([first, second]), {
      code: "ERR_PRIVATE_FILE_OTHER_ROW",
      message: /written into another row\. Attach a file for each row/,
    });
    await manager.save(first);
    await refuses(otherRow, (open) => open.save(second));
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is refused when two columns of one entity have the same upload", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    letter.photo = letter.scan;
    await assert.rejects(manager.save(letter), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
    letter.photo = null;
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is refused when an upload was written into a row of the open transaction", async () => {
    const first = await box.attached("a", manager.create(Letter, { title: "a" }));
    await manager.transaction(async (inner) => {
      await inner.save(first);
      await assert.rejects(inner.save(inner.create(Letter, { scan: first.scan })), SAVING);
      await assert.rejects(inner.insert(Letter, { scan: first.scan }), SAVING);
    });
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is refused when two rows swap their files", async () => {
    const [first, second] = [await box.saved("a"), await box.saved("b")];
    const swap = async (open: EntityManager) => {
      const [a, b] = [await box.load(first, open), await box.load(second, open)];
      [a.scan, b.scan] = [b.scan, a.scan];
      await open.save([a, b]);
    };
    await refuses(otherRow, swap);
  });

  it("is refused when one update writes an upload into several rows, which is rolled back", async () => {
    await manager.save(["a", "b"].map((title) => manager.create(Letter, { title })));
    const { scan } = await box.attached("new");
    const update = manager.transaction((inner) => updateAll(inner, Letter, { scan: scan! }));
    await assert.rejects(update, { code: "ERR_PRIVATE_FILE_OTHER_ROW", message: /several rows/ });
    assert.deepEqual(await box.rows({ left: 1 }), [
      ["a", null],
      ["b", null],
    ]);
  });

  for (const setting of database === mariadb ? ["", "SET LOCAL sort_buffer_size = 2097152"] : [""]) {
    const title = setting && `, after ${setting}`;
    it(`makes a nested transaction fail that nothing told of it${title}, and not the outer one`, async () => {
      const replaced = await box.saved("replaced");
      await manager.save(["a", "b"].map((title) => manager.create(Letter, { title })));
      const { scan } = await box.attached("new");
      await manager.transaction(async (outer) => {
        if (setting) await outer.query(setting);
        const nested = outer.transaction(async (inner) => {
          await box.files.attach(replaced, "scan", Buffer.from("another"));
          await inner.save(replaced);
          await inner.createQueryBuilder().update(Letter).set({ scan: scan! }).callListeners(false).execute();
        });
        await assert.rejects(nested, { code: "ERR_PRIVATE_FILE_OTHER_ROW", message: /several rows/ });
        await outer.save(outer.create(Letter, { title: "later" }));
      });
      assert.deepEqual(
        (await box.rows({ left: 2 })).map(([title]) => title),
        ["replaced", "a", "b", "later"],
      );
      assert.equal((await manager.findOneByOrFail(Letter, { title: "a" })).scan, null);
    });
  }
});

describeOnEachDatabase("A value that is out of date", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  it("is refused when its row has another file by now, and the row keeps that", async () => {
    const letter = await box.saved("a", "old");
    const stale = await box.load(letter);
    await manager.save(await box.attached("new", letter));
    for (const call of [
      () => manager.save(Object.assign(stale, { title: "late" })),
      () => manager.transaction((inner) => inner.save(stale)),
      () => manager.update(Letter, letter.id, { ...stale }),
      () => manager.insert(Letter, { scan: stale.scan }),
    ]) {
      await assert.rejects(async () => call(), otherRow);
    }
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("is refused when its row was removed and another got a file of the same name", async () => {
    const alice = await box.saved("alice");
    const stale = await box.load(alice);
    await manager.remove(alice);
    const bob = await box.saved("bob");
    assert.notEqual(bob.scan!.key, stale.scan!.key);
    await assert.rejects(manager.save(stale), otherRow);
    assert.deepEqual(await box.rows(), [["bob", "bob"]]);
  });

  it("is refused when the entity that was removed is saved again", async () => {
    const letter = await box.saved("a");
    await manager.remove(letter);
    await assert.rejects(manager.save(letter), otherRow);
    await manager.save(await box.attached("again", letter));
    assert.deepEqual(await box.rows(), [["a", "again"]]);
  });

  it("may be saved when the replacement was rolled back", async () => {
    const letter = await box.saved("a", "old");
    const loaded = await box.load(letter);
    await undone(manager, async (inner) => inner.save(await box.attached("new", letter)));
    await manager.save(Object.assign(loaded, { title: "b" }));
    assert.deepEqual(await box.rows({ left: 1 }), [["b", "old"]]);
  });
});

describeOnEachDatabase("An upload for something else", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  it("is refused in another column", async () => {
    const letter = await box.attached("a", manager.create(Letter, { title: "a" }));
    [letter.photo, letter.scan] = [letter.scan, null];
    await assert.rejects(manager.save(letter), {
      code: "ERR_PRIVATE_FILE_OTHER_ROW",
      message: "Letter.photo: the upload was attached for another column. Attach it for this one.",
    });
    [letter.photo, letter.scan] = [null, letter.photo];
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is written by one of two saves at once at most, and may be saved again where the other took that back", async () => {
    const letter = await box.attached("new", await box.saved("a"));
    let arrived = 0;
    reactions.beforeUpdate = async () => {
      arrived++;
      for (let turn = 0; arrived < 2 && turn < 100; turn++) await sleep(5);
    };
    const results = await Promise.allSettled([manager.save(letter), manager.save(letter)]);
    const refused = results.filter((result) => result.status === "rejected");
    assert.equal(refused.length, 1);
    assert.match(refused[0]!.reason.message, /save an entity once at a time|was replaced since the entity was loaded/);
    // On the one connection of SQLite both are in one transaction.
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });
});
