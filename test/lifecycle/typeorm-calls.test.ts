import assert from "node:assert/strict";
import type { EntityManager } from "typeorm";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, describe, it } from "../support/suite.js";
import { buildFuse, type Fuse } from "./fuse.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";
import { type Fate, Trial } from "./trial.js";
import { type Fates, type TypeormCall, typeormCalls } from "./typeorm-calls.js";

describeOnEachDatabase("What becomes of files in each call of TypeORM", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Shelf, Customer, Invoice] }, [
    Invoice,
    Folder,
    Shelf,
    Customer,
  ]);
  let fuse: Fuse;
  let manager: EntityManager;
  before(async () => {
    manager = archive.dataSource.manager;
    fuse = await buildFuse(archive.dataSource);
  });

  async function assertFates({ newFile, oldFile }: TypeormCall, trial: Trial, end: keyof Fates): Promise<void> {
    const fates = { new: await trial.fate("new"), old: await trial.fate("old") };
    assert.deepEqual(fates, { new: newFile?.[end], old: oldFile?.[end] });
    const { missing } = await archive.files.sweep({ olderThan: 0, dryRun: false, force: true });
    assert.equal(missing, 0);
    const swept = (fate?: Fate) => (fate === "left" ? "removed" : fate);
    assert.deepEqual(
      { new: await trial.fate("new"), old: await trial.fate("old") },
      { new: swept(fates.new), old: swept(fates.old) },
    );
  }

  for (const call of typeormCalls) {
    const canFail = [call.newFile, call.oldFile].some((fates) => fates?.failed);
    const rolledBack = call.commitsAtOnce?.includes(database.name) ? "done" : "rolledBack";

    describe(call.call, () => {
      it("by itself, when it succeeds", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await run(manager);
        await assertFates(call, trial, "done");
      });

      it("in a transaction that is committed", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await manager.transaction(run);
        await assertFates(call, trial, "done");
      });

      it("by itself, when its statement fails", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await fuse.light();
        const outcome = run(manager).finally(() => fuse.putOut());
        await (canFail ? assert.rejects(outcome) : outcome);
        await assertFates(call, trial, canFail ? "failed" : "done");
      });

      it("in a transaction that is rolled back", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        const stop = new Error("Not today.");
        const transaction = manager.transaction(async (inside) => {
          await run(inside);
          throw stop;
        });
        await assert.rejects(transaction, stop);
        await assertFates(call, trial, rolledBack);
      });

      if (!canFail) return;
      it("in a transaction that is rolled back because its statement fails", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await fuse.light();
        await assert.rejects(manager.transaction(run).finally(() => fuse.putOut()));
        await assertFates(call, trial, "rolledBack");
      });
    });
  }
});
