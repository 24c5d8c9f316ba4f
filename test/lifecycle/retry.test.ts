import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { letUploadsExpire, RETRY_FOR } from "../support/retry-clock.js";
import { it } from "../support/suite.js";
import { LetterBox, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

describeOnEachDatabase("An upload that no row got", (database) => {
  const box = LetterBox.ofSuite(database, { retryFor: RETRY_FOR });

  it("is deleted when its time is over, and refused then", async () => {
    const letter = await box.attached("a");
    await undone(box.manager, (inner) => inner.save(letter));
    assert.deepEqual(await box.rows({ left: 1 }), []);
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), []);
    await assert.rejects(box.manager.save(letter), {
      code: "ERR_PRIVATE_FILE_DISCARDED",
      message: /not saved in time.* Attach it again before you save\.$/,
    });
  });

  it("stays in the row that it is saved in meanwhile", async () => {
    const letter = await box.attached("a", box.manager.create(Letter, { title: "a" }));
    await undone(box.manager, (inner) => inner.save(letter));
    await box.manager.save(letter);
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("has as much time again after each rollback", async () => {
    const letter = await box.attached("a", box.manager.create(Letter, { title: "a" }));
    await letUploadsExpire();
    for (let round = 0; round < 3; round++) {
      await undone(box.manager, (inner) => inner.save(letter));
      // That of the round before.
      if (round > 0) await letUploadsExpire(1);
    }
    await box.manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is deleted after a statement that failed outside a transaction", async () => {
    await box.saved("taken");
    const letter = await box.attached("a", box.manager.create(Letter, { title: "taken" }));
    await assert.rejects(box.manager.save(letter, { transaction: false }), { name: "QueryFailedError" });
    assert.deepEqual(await box.rows({ left: 1 }), [["taken", "taken"]]);
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), [["taken", "taken"]]);
  });

  it("is deleted when a hook refuses the save", async () => {
    reactions.beforeInsert = () => Promise.reject(new Error("Closed on Sundays."));
    await assert.rejects(box.manager.save(await box.attached("a")), { message: "Closed on Sundays." });
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), []);
  });

  it("is deleted when a later hook takes it out of the entity", async () => {
    reactions.beforeInsert = async ({ entity }) => {
      await sleep(1);
      entity.scan = null;
    };
    await box.manager.save(await box.attached("a", box.manager.create(Letter, { title: "a" })));
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), [["a", null]]);
  });

  it("is deleted when a savepoint undid it and its transaction is committed without it", async () => {
    const letter = await box.attached("a");
    await box.manager.transaction((inner) => undone(inner, (nested) => nested.save(letter)));
    assert.deepEqual(await box.rows({ left: 1 }), []);
    await letUploadsExpire();
    assert.deepEqual(await box.rows(), []);
  });

  it("is not deleted while its transaction is open, however long a savepoint is undone", async () => {
    const letter = await box.attached("a", box.manager.create(Letter, { title: "a" }));
    await box.manager.transaction(async (inner) => {
      await undone(inner, (nested) => nested.save(letter));
      await letUploadsExpire();
      await inner.save(letter);
    });
    assert.deepEqual(await box.rows(), [["a", "a"]]);
  });

  it("is not deleted while a hook holds its save up, neither for the first time nor again", async () => {
    const letter = await box.attached("a", box.manager.create(Letter, { title: "a" }));
    reactions.beforeInsert = () => letUploadsExpire();
    await box.manager.save(letter, { transaction: false });
    assert.deepEqual(await box.rows(), [["a", "a"]]);

    await box.attached("b", letter);
    await undone(box.manager, (inner) => inner.save(letter));
    reactions.beforeUpdate = () => letUploadsExpire();
    await box.manager.save(letter);
    assert.deepEqual(await box.rows(), [["a", "b"]]);
  });

  it("is not deleted while a hook holds up the save that follows a failed statement", async () => {
    await box.saved("taken");
    const letter = await box.attached("a", box.manager.create(Letter, { title: "taken" }));
    await assert.rejects(box.manager.save(letter, { transaction: false }), { name: "QueryFailedError" });
    reactions.beforeInsert = () => letUploadsExpire();
    await box.manager.save(Object.assign(letter, { title: "free" }), { transaction: false });
    assert.deepEqual((await box.rows())[1], ["free", "a"]);
  });

  it("is deleted at once when another upload takes its place, and when it is detached", async () => {
    const letter = await box.attached("a");
    await undone(box.manager, (inner) => inner.save(letter));
    await box.attached("b", letter);
    await eventually(async () => assert.equal((await box.keys()).length, 1));
    box.files.detach(letter, "scan");
    await eventually(async () => assert.deepEqual(await box.keys(), []));
  });
});

describeOnEachDatabase(
  "A transaction that the server ended",
  (database) => {
    const box = LetterBox.ofSuite(database);

    /** Two transactions that lock two rows in opposite order; one of them is ended and tried again. */
    it("to end a deadlock is tried again with the same entities", async () => {
      const [first, second] = [await box.saved("a"), await box.saved("b")];
      let waiting = 2;
      let failures = 0;
      const replaceBoth = async (content: string, ...ids: number[]): Promise<void> => {
        const letters = await Promise.all(ids.map(async (id) => box.attached(content, await box.load({ id }))));
        for (;;) {
          try {
            await box.manager.transaction(async (inner) => {
              await inner.save(letters[0]!);
              waiting--;
              while (waiting > 0) await sleep(5);
              await inner.save(letters[1]!);
            });
            return;
          } catch (error) {
            failures++;
            assert.match(String(error), /deadlock/i);
          }
        }
      };
      await Promise.all([replaceBoth("one", first.id, second.id), replaceBoth("two", second.id, first.id)]);
      assert.equal(failures, 1);
      const rows = await box.rows();
      assert.equal(rows[0]![1], rows[1]![1], "The last transaction wrote both.");
    });

    it("for a conflict of serializable transactions is tried again with the same entity", async () => {
      const letter = await box.saved("a", "old");
      const [mine, theirs] = [await box.load(letter), await box.load(letter)];
      await box.attached("mine", mine);
      await box.attached("theirs", theirs);
      let tries = 0;
      const save = () =>
        box.manager.transaction("SERIALIZABLE", async (inner) => {
          await inner.count(Letter);
          if (tries++ === 0) await box.manager.query("UPDATE letter SET title = 'meanwhile'").catch(() => {});
          await inner.save(mine);
        });
      if (database.name === "PostgreSQL") await assert.rejects(save(), { code: "40001" });
      else tries++;
      await save();
      await box.manager.save(theirs);
      assert.equal((await box.rows())[0]![1], "theirs");
    });

    it("at REPEATABLE READ is refused or waits for a file that was committed after its snapshot, and is tried again", async () => {
      const letter = await box.saved("a", "old");
      let loaded = letter;
      const save = () =>
        box.manager.transaction("REPEATABLE READ", async (inner) => {
          await inner.count(Letter);
          if (loaded === letter) {
            await box.manager.save(await box.attached("newer", await box.load(letter)));
            loaded = Object.assign(await box.load(letter), { title: "b" });
          }
          await inner.save(loaded);
        });
      // PostgreSQL does not lock a row that was changed after the snapshot.
      if (database.name === "PostgreSQL") await assert.rejects(save(), { code: "40001" });
      await save();
      assert.deepEqual(await box.rows(), [["b", "newer"]]);
    });
  },
  [postgres, mariadb],
);
