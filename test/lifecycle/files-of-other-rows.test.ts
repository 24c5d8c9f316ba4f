import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { updateAll } from "../support/typeorm.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";

describeOnEachDatabase("A file of another row", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Shelf, Customer, Invoice] }, [Invoice]);
  const placeholder = database.name === "PostgreSQL" ? "$1" : "?";
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });

  async function attached(content: string, invoice = new Invoice()): Promise<Invoice> {
    await archive.files.attach(invoice, "scan", Buffer.from(content));
    return invoice;
  }

  async function saved(content: string): Promise<Invoice> {
    return manager.save(await attached(content));
  }

  /** What the rows' files contain, soft-deleted rows included, in the order of the rows. */
  async function contents(): Promise<(string | null)[]> {
    const rows = await manager.find(Invoice, { order: { id: "ASC" }, withDeleted: true });
    return Promise.all(rows.map(async (row) => (row.scan ? text(await archive.files.open(row, "scan")) : null)));
  }

  async function assertRefused(work: Promise<unknown>): Promise<void> {
    await assert.rejects(work, { name: "PrivateFileError", code: "ERR_PRIVATE_FILE_OTHER_ROW" });
  }

  it("is refused to a second row, in every call, and stays with the first", async () => {
    const { scan, ...original } = await saved("first");
    await manager.insert(Invoice, { number: "7" });
    const other = await manager.findOneByOrFail(Invoice, { number: "7" });
    await assertRefused(manager.save(Invoice, { scan }));
    await assertRefused(manager.save(Object.assign(other, { scan })));
    await assertRefused(manager.insert(Invoice, { scan }));
    await assertRefused(manager.insert(Invoice, { id: original.id, scan }));
    await assertRefused(manager.upsert(Invoice, { number: "7", scan }, ["number"]));
    await assertRefused(manager.update(Invoice, { number: "7" }, { scan }));
    await assertRefused(manager.update(Invoice, { number: "7" }, { id: other.id, scan }));
    await assertRefused(manager.createQueryBuilder().insert().into(Invoice).values({ scan }).execute());
    await assertRefused(manager.createQueryBuilder().update(Invoice).set({ scan }).where({ id: other.id }).execute());
    assert.deepEqual(await contents(), ["first", null]);
  });

  it("is refused where listeners are off, by the statement itself", async () => {
    const { scan } = await saved("first");
    await assertRefused(manager.save(Invoice, { scan }, { listeners: false }));
    const builder = manager.createQueryBuilder().insert().into(Invoice).values({ scan }).callListeners(false);
    await assertRefused(builder.execute());
    await assertRefused(manager.query(`UPDATE invoice SET scan = ${placeholder}`, [scan!.key]));
    assert.deepEqual(await contents(), ["first"]);
  });

  it("is refused to the second of two rows that a save would move it between, in whichever order", async () => {
    for (const order of [0, 1]) {
      const [from, to] = [await saved("from"), await saved("to")];
      [from.scan, to.scan] = [null, from.scan];
      await assertRefused(manager.save(order === 0 ? [from, to] : [to, from]));
    }
    assert.deepEqual(await contents(), ["from", "to", "from", "to"]);
  });

  it("is refused to another row after its own has given it away in the same transaction", async () => {
    const [from, to] = [await saved("from"), await saved("to")];
    const { scan } = from;
    await manager.transaction(async (inner) => {
      await inner.save(Object.assign(from, { scan: null }));
      await assertRefused(inner.save(Object.assign(to, { scan })));
    });
    assert.deepEqual(await contents(), [null, "to"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("is refused to the row that gave it away: what was undone is not done again", async () => {
    const invoice = await saved("first");
    const { scan } = invoice;
    await manager.transaction(async (inner) => {
      await inner.save(Object.assign(invoice, { scan: null }));
      await assertRefused(inner.save(Object.assign(invoice, { scan })));
    });
    assert.deepEqual([await contents(), await archive.keys()], [[null], []]);
  });

  it("is refused while it is one upload in two entities of one save, and nothing is saved", async () => {
    const first = await attached("shared");
    await assertRefused(manager.save([first, manager.create(Invoice, { scan: first.scan })]));
    assert.deepEqual(await contents(), []);
    await manager.save(first);
    assert.deepEqual(await contents(), ["shared"]);
  });

  it("may be an upload whose save in the other row was rolled back", async () => {
    await manager.save(manager.create(Invoice, { number: "taken" }));
    const first = await attached("moved", manager.create(Invoice, { number: "taken" }));
    const second = manager.create(Invoice, { scan: first.scan });
    await assert.rejects(manager.save(first), { name: "QueryFailedError" });
    await manager.save(second);
    await archive.expire();
    assert.deepEqual(await contents(), [null, "moved"]);
    first.number = "free";
    await assertRefused(manager.save(first));
  });

  it("is refused in an UPDATE of several rows, which a transaction takes back", async () => {
    await manager.insert(Invoice, [{ number: "1" }, { number: "2" }]);
    const { scan } = await attached("shared");
    await assertRefused(manager.transaction((inner) => updateAll(inner, Invoice, { scan })));
    assert.deepEqual(await contents(), [null, null]);
    await archive.expire();
    assert.deepEqual(await archive.keys(), []);
  });

  it("stays while a row names it that raw SQL has copied it into, soft-deleted or not", async () => {
    const [original, copy] = [await saved("shared"), await manager.save(new Invoice())];
    await manager.query(`UPDATE invoice SET scan = '${original.scan!.key}' WHERE id = ${copy.id}`);
    await manager.softRemove(copy);
    await manager.remove(original);
    assert.deepEqual(await contents(), ["shared"]);
    await manager.remove(await manager.findOneOrFail(Invoice, { where: { id: copy.id }, withDeleted: true }));
    assert.deepEqual(await archive.keys(), []);
  });

  const rowLock = { PostgreSQL: "FOR SHARE", MariaDB: "LOCK IN SHARE MODE" }[database.name];
  if (rowLock) {
    it("stays when its row is removed while raw SQL copies it, if that SQL locks the row", async () => {
      const original = await saved("shared");
      let removal: Promise<unknown> | undefined;
      await manager.transaction("READ COMMITTED", async (inner) => {
        const source = `SELECT scan FROM invoice WHERE id = ${original.id}`;
        await inner.query(`INSERT INTO invoice (scan) ${source} ${rowLock}`);
        removal = manager.remove(original);
        await Promise.race([removal, sleep(300)]);
      });
      await removal;
      assert.deepEqual(await contents(), ["shared"]);
    });
  }

  it("may be named by many rows where another program wrote it, and is never deleted with them", async () => {
    await archive.storage.put("imports/logo.png", Readable.from([Buffer.from("logo")]));
    const invoices = [new Invoice(), new Invoice(), new Invoice()];
    for (const invoice of invoices) await archive.files.adopt(invoice, "scan", "imports/logo.png");
    await manager.save(invoices);
    assert.deepEqual(await contents(), ["logo", "logo", "logo"]);
    await assertRefused(manager.save(Invoice, { scan: (await manager.findOneByOrFail(Invoice, {})).scan }));
    await manager.save(await attached("own", invoices[0]));
    await manager.remove(invoices.slice(1));
    assert.deepEqual(await contents(), ["own"]);
    assert.deepEqual(await archive.keys(), ["imports/logo.png", invoices[0]!.scan!.key]);
  });

  it("is not adopted while a row has it, and may be when none has", async () => {
    const invoice = await saved("first");
    const { key } = invoice.scan!;
    await assertRefused(archive.files.adopt(new Invoice(), "scan", key));
    await manager.delete(Invoice, { id: invoice.id });
    const heir = new Invoice();
    await archive.files.adopt(heir, "scan", key);
    const rolledBack = manager.transaction(async (inner) => {
      await inner.save(heir);
      throw new Error("Not today.");
    });
    await assert.rejects(rolledBack, { message: "Not today." });
    await archive.expire();
    assert.deepEqual(await archive.keys(), [key]);
    await manager.save(heir);
    assert.deepEqual(await contents(), ["first"]);
    await manager.remove(heir);
    assert.deepEqual(await archive.keys(), []);
  });
});
