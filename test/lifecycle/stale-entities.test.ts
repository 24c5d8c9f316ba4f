import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import type { EntityManager } from "typeorm";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, beforeEach, it } from "../support/suite.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";

describeOnEachDatabase("An entity that was loaded before its file was replaced or removed", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Shelf, Customer, Invoice] }, [Invoice]);
  let manager: EntityManager;
  let invoice: Invoice;
  before(() => {
    manager = archive.dataSource.manager;
  });
  beforeEach(async () => {
    invoice = new Invoice();
    await attach("first");
    await manager.save(invoice);
  });

  async function attach(content: string, entity = invoice): Promise<void> {
    await archive.files.attach(entity, "scan", Buffer.from(content));
  }

  /** The entity as somebody loaded it before the file was replaced. */
  async function stale(): Promise<Invoice> {
    const loaded = await manager.findOneByOrFail(Invoice, { id: invoice.id });
    await attach("second");
    await manager.save(invoice);
    return loaded;
  }

  /** The title and the file's content of each row; the storage has no more than that. */
  async function rows(): Promise<[string, string][]> {
    const found = await manager.find(Invoice, { order: { id: "ASC" } });
    assert.deepEqual(await archive.keys(), found.map(({ scan }) => scan!.key).sort());
    return Promise.all(
      found.map(
        async (row): Promise<[string, string]> => [row.title, await text(await archive.files.open(row, "scan"))],
      ),
    );
  }

  it("is refused when all of it is saved, and nothing of it is", async () => {
    const entity = await stale();
    entity.title = "late";
    await assert.rejects(manager.save(entity), {
      code: "ERR_PRIVATE_FILE_OTHER_ROW",
      message: /Load the entity again, save only what you changed, /,
    });
    assert.deepEqual(await rows(), [["", "second"]]);
  });

  it("is refused by insert, upsert and update as well", async () => {
    const { scan } = await stale();
    for (const call of [
      () => manager.insert(Invoice, { scan }),
      () => manager.upsert(Invoice, { number: "7", scan }, ["number"]),
      () => manager.update(Invoice, { id: invoice.id }, { scan }),
    ]) {
      await assert.rejects(call, { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
    }
    assert.deepEqual(await rows(), [["", "second"]]);
  });

  it("is refused however often it is saved in one transaction, which can go on", async () => {
    const entity = await stale();
    await manager.transaction(async (inner) => {
      for (let count = 0; count < 3; count++) {
        await assert.rejects(inner.save(entity), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      }
      await inner.update(Invoice, { id: invoice.id }, { title: "later" });
    });
    assert.deepEqual(await rows(), [["later", "second"]]);
  });

  it("is refused where listeners are off as well, as the statement shows the key", async () => {
    const entity = await stale();
    await assert.rejects(manager.save(entity, { listeners: false }), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
    assert.deepEqual(await rows(), [["", "second"]]);
  });

  it("can have its title saved alone", async () => {
    const { id } = await stale();
    await manager.save(Invoice, { id, title: "late" });
    assert.deepEqual(await rows(), [["late", "second"]]);
  });

  it("can be saved with a file of its own, which replaces the one that the row has by now", async () => {
    const entity = await stale();
    await attach("third", entity);
    await manager.save(entity);
    assert.deepEqual(await rows(), [["", "third"]]);
  });

  it("takes along, when it is removed, the file that the row has by now", async () => {
    await manager.remove(await stale());
    assert.deepEqual(await rows(), []);
  });

  it("is refused when its row was removed since, as the removed entity is itself", async () => {
    const loaded = await manager.findOneByOrFail(Invoice, { id: invoice.id });
    await manager.remove(invoice);
    await assert.rejects(manager.save(loaded), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
    await assert.rejects(manager.save(invoice), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
    await attach("again");
    await manager.save(invoice);
    assert.deepEqual(await rows(), [["", "again"]]);
  });

  it("can be saved when the replacement was rolled back", async () => {
    const loaded = await manager.findOneByOrFail(Invoice, { id: invoice.id });
    await attach("second");
    const transaction = manager.transaction(async (inside) => {
      await inside.save(invoice);
      throw new Error("Not today.");
    });
    await assert.rejects(transaction, { message: "Not today." });
    await archive.expire();
    loaded.title = "still here";
    await manager.save(loaded);
    assert.deepEqual(await rows(), [["still here", "first"]]);
  });
});
