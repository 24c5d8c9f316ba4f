import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { betterSqlite3, describeOnEachDatabase, sqljs } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { before, it } from "../support/suite.js";
import { LetterBox, Undo } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

const WORKERS = 4;
const CHANGES = 80;
const RETRY_FOR = 0.05;

/** Numbers from 0 to 1 that are the same in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describeOnEachDatabase(
  "The one connection that all transactions of SQLite share",
  (database) => {
    const box = LetterBox.ofSuite(database, { retryFor: RETRY_FOR });
    let manager: EntityManager;
    before(() => {
      manager = box.manager;
    });

    /** Replaces, removes or adds the file of a row, or adds a row. */
    async function change(open: EntityManager, random: () => number): Promise<void> {
      const letters = await open.find(Letter);
      const letter = letters[Math.floor(random() * letters.length)] ?? new Letter();
      const kind = random();
      if (kind < 0.6) await open.save(await box.attached("replaced", letter));
      else if (kind < 0.75) await open.save(Object.assign(letter, { scan: null }));
      else if (kind < 0.85 && letter.id) await open.remove(letter);
      else await open.save(await box.attached("added"));
    }

    async function changeInTransaction(random: () => number): Promise<void> {
      await manager.transaction(async (inner) => {
        await change(inner, random);
        if (random() < 0.5) {
          const nested = inner.transaction(async (deeper) => {
            await change(deeper, random);
            if (random() < 0.4) throw new Undo("Not today.");
          });
          await nested.catch((error) => assert.ok(error instanceof Undo, error));
        }
        await sleep(random() * 3);
        if (random() < 0.3) throw new Undo("Not today.");
      });
    }

    async function work(seed: number, errors: Map<string, number>): Promise<void> {
      const random = randomNumbers(seed);
      for (let count = 0; count < CHANGES; count++) {
        const kind = random();
        try {
          if (kind < 0.3) await change(manager, random);
          else if (kind < 0.45) {
            const [letter] = await manager.find(Letter, { take: 1 });
            await manager.save(await box.attached("alone", letter), { transaction: false });
          } else await changeInTransaction(random);
        } catch (error) {
          const { code, message } = error as Error & { code?: string };
          errors.set(code ?? message, (errors.get(code ?? message) ?? 0) + 1);
        }
      }
    }

    it("loses no file of a row, and has none in two rows, while four workers change files and hooks wait", async (t) => {
      reactions.beforeUpdate = () => sleep(2);
      for (const title of ["a", "b", "c", "d", "e", "f"]) await box.saved(title);
      const errors = new Map<string, number>();
      await Promise.all(Array.from({ length: WORKERS }, (_, index) => work(index + 1, errors)));
      t.diagnostic(`errors: ${JSON.stringify(Object.fromEntries(errors))}`);
      assert.equal(box.dataSource.createQueryRunner().isTransactionActive, false);

      // What waited for the connection to be out of transactions is looked at after the next statement.
      await sleep(RETRY_FOR * 4000);
      await manager.save(new Letter());
      const letters = await manager.find(Letter);
      const named = letters.flatMap(({ scan }) => scan?.key ?? []);
      const keys = await box.keys();
      assert.equal(new Set(named).size, named.length, "No file is in two rows.");
      assert.deepEqual(
        named.filter((key) => !keys.includes(key)),
        [],
        "Each row has its file.",
      );
      t.diagnostic(`rows: ${letters.length}, objects that no row names: ${keys.length - named.length}`);
      await box.files.sweep({ olderThan: 0, dryRun: false });
      await eventually(async () => assert.deepEqual(await box.keys(), named.sort()));
    });

    it("has a file that one transaction removed until the other is over, which may take that back", async () => {
      const [first, second] = [await box.saved("a"), await box.saved("b")];
      const outer = box.dataSource.createQueryRunner();
      await outer.startTransaction();
      await manager.transaction(async (inner) => inner.remove(await box.load(first, inner)));
      assert.equal((await box.keys()).length, 2);
      await outer.rollbackTransaction();
      assert.deepEqual(await box.rows(), [
        ["a", "a"],
        ["b", "b"],
      ]);
      await manager.remove(await box.load(second));
      assert.deepEqual(await box.rows(), [["a", "a"]]);
    });

    it("keeps a file whose rows are looked at while another transaction begins that removes its row and is rolled back", async () => {
      const letter = await box.saved("a");
      await manager.query("INSERT INTO letter (title, scan) SELECT 'copy', scan FROM letter");
      const { subscribers } = box.dataSource;
      const other = box.dataSource.createQueryRunner();
      let looks = 0;
      subscribers.push({
        async beforeQuery({ query }) {
          if (!/^SELECT .* AS "key" FROM "letter"/.test(query) || looks++ > 0) return;
          await other.query("BEGIN");
          await other.query("DELETE FROM letter WHERE title = 'copy'");
        },
      });
      await manager.remove(letter);
      subscribers.pop();
      assert.equal(looks, 1);
      await other.query("ROLLBACK");
      assert.deepEqual(await box.rows(), [["copy", "a"]]);
      await manager.remove(await manager.find(Letter));
      assert.deepEqual(await box.rows(), []);
    });
  },
  [sqljs, betterSqlite3],
);
