import assert from "node:assert/strict";
import type { DataSource, EntityManager } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { before, beforeEach, it } from "../support/suite.js";
import { LetterBox, otherRow } from "./letter-box.js";
import { Letter } from "./letters.js";
import { LosingProxy } from "./losing-proxy.js";

const RAW = { transaction: false };

describeOnEachDatabase(
  "A connection that is lost",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let proxy: LosingProxy;
    let dataSource: DataSource;
    let manager: EntityManager;
    let files: PrivateFiles;
    let letter: Letter;
    before(async () => {
      proxy = new LosingProxy(new URL((box.dataSource.options as { url: string }).url));
      const url = await proxy.start();
      box.beforeClose(() => proxy.close());
      ({ dataSource, files } = await box.neighbour({ url }));
      manager = dataSource.manager;
    });
    beforeEach(async () => {
      letter = await manager.save(await box.attached("old", manager.create(Letter, { title: "a" }), files));
    });

    const attached = (content: string, entity?: Letter) => box.attached(content, entity, files);

    async function endConnection(inner: EntityManager): Promise<void> {
      const [id, kill] =
        database.name === "PostgreSQL"
          ? ["pg_backend_pid()", "SELECT pg_terminate_backend(?)"]
          : ["connection_id()", "KILL ?"];
      const [row] = await inner.query(`SELECT ${id} AS id`);
      await box.manager.query(kill.replace("?", String(row.id)));
    }

    it("before COMMIT takes the transaction back, and its uploads may be saved again", async () => {
      await attached("new", letter);
      const inserted = await attached("b", manager.create(Letter, { title: "b" }));
      const transaction = manager.transaction(async (inner) => {
        await inner.save([letter, inserted]);
        await endConnection(inner);
        await inner.count(Letter);
      });
      await assert.rejects(transaction);
      assert.deepEqual(await box.rows({ left: 2 }), [["a", "old"]]);
      await manager.save([letter, manager.create(Letter, { title: "c", scan: inserted.scan })]);
      assert.deepEqual(await box.rows(), [
        ["a", "new"],
        ["c", "b"],
      ]);
    });

    it("before COMMIT, with nothing sent after it, takes the transaction back as well", async () => {
      await attached("new", letter);
      const transaction = manager.transaction(async (inner) => {
        await inner.save(letter);
        await endConnection(inner);
      });
      await assert.rejects(transaction);
      assert.equal((await box.keys()).length, 2);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    it("in the middle of a statement takes the transaction back", async () => {
      await attached("new", letter);
      proxy.lose("statement", "UPDATE");
      await assert.rejects(manager.save(letter));
      assert.deepEqual(await box.rows({ left: 1 }), [["a", "old"]]);
      await manager.save(letter);
      assert.deepEqual(await box.rows(), [["a", "new"]]);
    });

    for (const part of ["statement", "answer"] as const) {
      const isCommitted = part === "answer";
      const what = isCommitted ? "after COMMIT was done" : "before COMMIT arrived";

      it(`${what}, deletes nothing: only the same row may get the upload`, async () => {
        await attached("new", letter);
        proxy.lose(part, "COMMIT");
        await assert.rejects(manager.save(letter));
        assert.deepEqual(await box.rows({ left: 1 }), [["a", isCommitted ? "new" : "old"]]);

        const values = { title: "b", scan: letter.scan };
        await assert.rejects(manager.save(manager.create(Letter, values)), otherRow);
        await manager.save(manager.create(Letter, { title: "c" }));
        const { id } = await manager.findOneByOrFail(Letter, { title: "c" });
        await assert.rejects(async () => manager.update(Letter, { id }, { id, scan: letter.scan! }), otherRow);
        await manager.delete(Letter, { id });

        await manager.save(Object.assign(letter, { title: "d" }));
        assert.deepEqual(await box.rows({ left: isCommitted ? 1 : 0 }), [["d", "new"]]);
      });

      it(`${what}, lets an inserted entity be saved again under its primary key alone`, async () => {
        const inserted = await attached("b", manager.create(Letter, { title: "b" }));
        proxy.lose(part, "COMMIT");
        await assert.rejects(manager.save(inserted));
        assert.ok(inserted.id);
        const again = manager.create(Letter, { title: "c", scan: inserted.scan });
        await assert.rejects(manager.save(again), otherRow);
        await manager.save(inserted);
        assert.deepEqual(await box.rows(), [
          ["a", "old"],
          ["b", "b"],
        ]);
      });

      it(`${what}, deletes nothing that was removed`, async () => {
        proxy.lose(part, "COMMIT");
        await assert.rejects(manager.remove(await box.load(letter, manager)));
        assert.equal((await box.keys()).length, 1);
        assert.equal(await box.manager.count(Letter), isCommitted ? 0 : 1);
      });

      it(`${what} of raw SQL, deletes nothing`, async () => {
        await attached("new", letter);
        const runner = dataSource.createQueryRunner();
        await runner.query("BEGIN");
        await runner.manager.save(letter, RAW);
        proxy.lose(part, "COMMIT");
        await assert.rejects(runner.query("COMMIT"));
        await runner.release().catch(() => {});
        assert.deepEqual(await box.rows({ left: 1 }), [["a", isCommitted ? "new" : "old"]]);
        await assert.rejects(manager.save(manager.create(Letter, { scan: letter.scan })), otherRow);
        await manager.save(Object.assign(letter, { title: "d" }));
        assert.deepEqual(await box.rows({ left: isCommitted ? 1 : 0 }), [["d", "new"]]);
      });

      it(`with the ${part} of an update outside a transaction deletes nothing: only the same row may get the upload`, async () => {
        await attached("new", letter);
        proxy.lose(part, "UPDATE");
        await assert.rejects(manager.save(letter, RAW));
        assert.deepEqual(await box.rows({ left: 1 }), [["a", isCommitted ? "new" : "old"]]);
        await assert.rejects(manager.save(manager.create(Letter, { scan: letter.scan })), { name: "PrivateFileError" });
        await manager.save(Object.assign(letter, { title: "d" }));
        assert.deepEqual(await box.rows({ left: isCommitted ? 1 : 0 }), [["d", "new"]]);
      });
    }
  },
  [postgres, mariadb],
);
