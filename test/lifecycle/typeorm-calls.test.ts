import assert from "node:assert/strict";
import type { EntityManager } from "typeorm";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, describe, it } from "../support/suite.js";
import { buildFuse, type Fuse } from "./fuse.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";
import { type Fate, FOREIGN, Trial } from "./trial.js";
import { type Outcomes, type TypeormCall, typeormCalls } from "./typeorm-calls.js";

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

  async function assertFates(call: TypeormCall, trial: Trial, end: keyof Outcomes): Promise<void> {
    const { newFile, oldFile, isForeign } = call;
    const fates = await trial.fates();
    assert.deepEqual(fates, { new: newFile?.[end], old: oldFile?.[end] });
    await sweep();
    const swept = (fate?: Fate) => (fate === "waits" || (fate === "left" && !isForeign) ? "removed" : fate);
    assert.deepEqual(await trial.fates(), { new: swept(fates.new), old: swept(fates.old) });
    if (!isForeign) return;
    await sweep([FOREIGN]);
    const sweptToo = (fate?: Fate) => (swept(fate) === "left" ? "removed" : swept(fate));
    assert.deepEqual(await trial.fates(), { new: sweptToo(fates.new), old: sweptToo(fates.old) });
  }

  async function sweep(prefixes: string[] = []): Promise<void> {
    const { missing } = await archive.files.sweep({ olderThan: 0, dryRun: false, force: true, prefixes });
    assert.equal(missing, 0);
  }

  async function rollBack(run: (inside: EntityManager) => Promise<unknown>): Promise<void> {
    const stop = new Error("Not today.");
    const transaction = manager.transaction(async (inside) => {
      await run(inside);
      throw stop;
    });
    await assert.rejects(transaction, stop);
  }

  async function failing(run: () => Promise<unknown>): Promise<void> {
    await fuse.light();
    await assert.rejects(run().finally(() => fuse.putOut()));
  }

  for (const call of typeormCalls) {
    const canFail = [call.newFile, call.oldFile].some((fates) => fates?.failed);
    const rolledBack = call.commitsAtOnce?.includes(database.name) ? "done" : "rolledBack";

    describe(call.call, { skip: call.skip }, () => {
      if (call.isRefused) {
        it("is refused", async () => {
          const trial = new Trial(archive);
          const run = await call.prepare(trial);
          await assert.rejects(run(manager), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
          await assertFates(call, trial, "done");
        });

        it("is refused in a transaction, which can go on", async () => {
          const trial = new Trial(archive);
          const run = await call.prepare(trial);
          await manager.transaction(async (inside) => {
            await assert.rejects(run(inside), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
            await inside.save(new Shelf());
          });
          assert.equal(await manager.count(Shelf), 1);
          await assertFates(call, trial, "done");
        });
        return;
      }

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

      it("in a transaction that is rolled back", async () => {
        const trial = new Trial(archive);
        await rollBack(await call.prepare(trial));
        await assertFates(call, trial, rolledBack);
      });

      if (call.newFile?.rolledBack === "waits") {
        it("once more after a transaction that was rolled back", async () => {
          const trial = new Trial(archive);
          const run = await call.prepare(trial);
          await rollBack(run);
          await run(manager);
          await assertFates(call, trial, "done");
        });
      }

      if (!canFail) return;
      it("by itself, when its statement fails", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await failing(() => run(manager));
        await assertFates(call, trial, "failed");
      });

      it("in a transaction that is rolled back because its statement fails", async () => {
        const trial = new Trial(archive);
        const run = await call.prepare(trial);
        await failing(() => manager.transaction(run));
        await assertFates(call, trial, "rolledBack");
      });

      if (call.newFile?.failed === "waits") {
        it("once more after its statement failed", async () => {
          const trial = new Trial(archive);
          const run = await call.prepare(trial);
          await failing(() => run(manager));
          await run(manager);
          await assertFates(call, trial, "done");
        });
      }
    });
  }
});
