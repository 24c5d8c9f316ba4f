import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager, EntitySubscriberInterface } from "typeorm";
import type { PrivateFile } from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { LetterBox, otherRow, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

describeOnEachDatabase("A listener or a subscriber of the application", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });

  /** Lets a subscriber before those of the package set the file of what is inserted or updated. */
  async function withEarlierSubscriber(scan: PrivateFile | null, work: () => Promise<void>): Promise<void> {
    const subscriber: EntitySubscriberInterface<Letter> = {
      listenTo: () => Letter,
      beforeInsert({ entity }) {
        entity.scan = scan;
      },
      beforeUpdate({ entity }) {
        entity!.scan = scan;
      },
    };
    box.dataSource.subscribers.unshift(subscriber);
    try {
      await work();
    } finally {
      box.dataSource.subscribers.shift();
    }
  }

  it("that takes the file out before the update has it deleted with the commit", async () => {
    for (const remove of [
      () => Object.assign(reactions, { onBeforeUpdate: (letter: Letter) => Object.assign(letter, { scan: null }) }),
      () => {
        reactions.beforeUpdate = async ({ entity }) => {
          await sleep(1);
          entity!.scan = null;
        };
      },
    ]) {
      const letter = await box.saved("a");
      remove();
      await undone(manager, (inner) => inner.save(Object.assign(letter, { title: "b" })));
      delete reactions.beforeUpdate;
      delete reactions.onBeforeUpdate;
      assert.deepEqual(await box.rows(), [["a", "a"]]);
      const loaded = await box.load(letter);
      remove();
      await manager.save(Object.assign(loaded, { title: "b" }));
      assert.deepEqual(await box.rows(), [["b", null]]);
      await box.empty();
    }
  });

  it("that puts another upload in before the update has the old file deleted with the commit", async () => {
    for (const name of ["onBeforeUpdate", "beforeUpdate"] as const) {
      const letter = await box.saved("a", "old");
      const { scan } = await box.attached("new");
      reactions[name] = async (subject: { entity?: unknown }) => {
        if (name === "beforeUpdate") await sleep(1);
        Object.assign(subject.entity ?? subject, { scan });
      };
      await manager.save(Object.assign(letter, { title: "b" }));
      assert.deepEqual(await box.rows(), [["b", "new"]]);
      await box.empty();
    }
  });

  it("that puts an upload into a new row has it follow the row", async () => {
    const { scan } = await box.attached("new");
    reactions.beforeInsert = ({ entity }) => Object.assign(entity, { scan });
    await undone(manager, (inner) => inner.save(inner.create(Letter, { title: "a" })));
    await manager.save(manager.create(Letter, { title: "a" }));
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("that sets a file of another row before the insert or the update is refused", async () => {
    const { scan } = await box.load(await box.saved("a"));
    const letter = await box.saved("b");
    const set = async ({ entity }: { entity?: object }) => {
      await sleep(1);
      Object.assign(entity!, { scan });
    };
    Object.assign(reactions, { beforeInsert: set, beforeUpdate: set });
    for (const manner of [{}, { transaction: false }]) {
      await assert.rejects(manager.save(manager.create(Letter, { title: "c" }), manner), otherRow);
      const loaded = await box.load(letter);
      await assert.rejects(manager.save(Object.assign(loaded, { title: "c" }), manner), otherRow);
    }
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  it("is refused by the statement itself, in a transaction that can go on", async () => {
    const { scan } = await box.load(await box.saved("a"));
    reactions.beforeInsert = async ({ entity }) => {
      await sleep(1);
      if (entity.title === "b") entity.scan = scan;
    };
    await manager.transaction(async (inner) => {
      await assert.rejects(inner.save(inner.create(Letter, { title: "b" })), otherRow);
      await inner.save(inner.create(Letter, { title: "c" }));
    });
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["c", null],
    ]);
  });

  it("that refuses an update leaves no permission for its value behind", async () => {
    const loaded = await box.load(await box.saved("a"));
    await manager.transaction(async (inner) => {
      reactions.beforeUpdate = () => Promise.reject(new Error("Closed on Sundays."));
      await assert.rejects(inner.update(Letter, loaded.id, { ...loaded, title: "b" }), { message: /Sundays/ });
      reactions.beforeInsert = async ({ entity }) => {
        await sleep(1);
        entity.scan = loaded.scan;
      };
      await assert.rejects(inner.save(inner.create(Letter, { title: "c" })), otherRow);
    });
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("that comes before those of the package and sets a file of another row is refused", async () => {
    const { scan } = await box.load(await box.saved("a"));
    const letter = await box.saved("b");
    await withEarlierSubscriber(scan, async () => {
      await assert.rejects(manager.save(manager.create(Letter, { title: "c" })), otherRow);
      await assert.rejects(manager.save(Object.assign(letter, { title: "c" })), otherRow);
      await assert.rejects(async () => manager.insert(Letter, { title: "c" }), otherRow);
      await assert.rejects(async () => manager.update(Letter, letter.id, { title: "c" }), otherRow);
    });
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  it("that sets a file which was deleted since is refused", async () => {
    const stale = await box.load(await box.saved("a"));
    await manager.remove(await box.load(stale));
    reactions.beforeInsert = async ({ entity }) => {
      await sleep(1);
      entity.scan = stale.scan;
    };
    await assert.rejects(manager.save(manager.create(Letter, { title: "b" })), otherRow);
    assert.deepEqual(await box.rows(), []);
  });

  it("that hides the file after the update keeps nothing from its row", async () => {
    const letter = await box.saved("a");
    reactions.onAfterUpdate = (updated) => Object.assign(updated, { scan: null });
    for (const manner of [{}, { transaction: false }]) {
      await manager.save(Object.assign(await box.load(letter), { title: "b" }), manner);
      assert.deepEqual(await box.rows(), [["b", "a"]]);
      await manager.save(Object.assign(await box.load(letter), { title: "a" }), manner);
    }
    const replaced = await box.attached("new", await box.load(letter));
    await manager.save(replaced);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });

  it("that hides the file after the insert keeps nothing from its row", async () => {
    reactions.onAfterInsert = (inserted) => Object.assign(inserted, { scan: null });
    await box.saved("a");
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("that takes a replacement back keeps the old file in its row", async () => {
    const letter = await box.attached("new", await box.load(await box.saved("a")));
    reactions.beforeUpdate = async ({ entity, databaseEntity }) => {
      await sleep(1);
      entity!.scan = databaseEntity.scan;
    };
    await manager.save(Object.assign(letter, { title: "b" }));
    assert.deepEqual(await box.rows({ left: 1 }), [["b", "a"]]);
  });

  it("that takes a removal of the file back keeps it in its row", async () => {
    const letter = await box.load(await box.saved("a"));
    reactions.beforeUpdate = async ({ entity, databaseEntity }) => {
      await sleep(1);
      entity!.scan = databaseEntity.scan;
    };
    await manager.save(Object.assign(letter, { title: "b", scan: null }));
    assert.deepEqual(await box.rows(), [["b", "a"]]);
  });

  it("that throws after the statement, outside a transaction, leaves nothing open", async () => {
    const fail = () => {
      throw new Error("Closed on Sundays.");
    };
    const closed = { message: "Closed on Sundays." };
    const inserted = await box.attached("a", manager.create(Letter, { title: "a" }));
    reactions.onAfterInsert = fail;
    await assert.rejects(manager.save(inserted, { transaction: false }), closed);
    const updated = await box.attached("new", await manager.findOneByOrFail(Letter, { title: "a" }));
    reactions.onAfterUpdate = fail;
    await assert.rejects(manager.save(updated, { transaction: false }), closed);
    await sleep(100);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
    delete reactions.onAfterUpdate;
    await manager.save(Object.assign(updated, { title: "b" }));
    assert.deepEqual(await box.rows(), [["b", "new"]]);
  });

  it("that throws after the statement, in a transaction, leaves everything as it was", async () => {
    const letter = await box.attached("new", await box.saved("a"));
    reactions.onAfterUpdate = () => {
      throw new Error("Closed on Sundays.");
    };
    await assert.rejects(manager.save(letter), { message: "Closed on Sundays." });
    assert.deepEqual(await box.rows({ left: 1 }), [["a", "a"]]);
    delete reactions.onAfterUpdate;
    await manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "new"]]);
  });
});
