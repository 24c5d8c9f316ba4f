import assert from "node:assert/strict";
import {
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
  type QueryRunner,
  type UpdateEvent,
} from "typeorm";
import { archiveOfSuite, openArchive } from "../support/archive.js";
import { describeOnEachDatabase, type TestDatabase } from "../support/databases.js";
import { before, beforeEach, it } from "../support/suite.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";

describeOnEachDatabase("A statement that fails outside a transaction", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Shelf, Customer, Invoice] }, [Invoice]);
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });
  beforeEach(async () => {
    await manager.insert(Invoice, { number: "taken" });
  });

  async function attached(number: string): Promise<Invoice> {
    const invoice = manager.create(Invoice, { number });
    await archive.files.attach(invoice, "scan", Buffer.from(number));
    return invoice;
  }

  async function namedKeys(): Promise<string[]> {
    const invoices = await manager.find(Invoice);
    return invoices.flatMap(({ scan }) => (scan ? [scan.key] : [])).sort();
  }

  it("leaves its upload to be saved again, whatever transactions there are meanwhile", async () => {
    const invoice = await attached("taken");
    await assert.rejects(manager.insert(Invoice, invoice), { name: "QueryFailedError" });
    for (const number of ["other", "another"]) await manager.save(await attached(number));
    invoice.number = "free";
    await manager.save(invoice);
    await archive.expire();
    assert.equal((await namedKeys()).length, 3);
    assert.deepEqual(await archive.keys(), await namedKeys());
  });

  it("is forgotten when its upload is saved again, so that the file goes with its row", async () => {
    const invoice = await attached("taken");
    await assert.rejects(manager.save(invoice, { transaction: false }), { name: "QueryFailedError" });
    invoice.number = "free";
    await manager.insert(Invoice, invoice);
    await manager.remove(invoice);
    assert.deepEqual(await archive.keys(), []);
  });

  it("is no matter of other statements made at the same moment, which replace their files", async () => {
    const invoices = await Promise.all(Array.from({ length: 10 }, (_, i) => attached(`free-${i}`)));
    await manager.save(invoices);
    for (const invoice of invoices) await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const refused = await Promise.all(invoices.map(() => attached("taken")));
    const outcomes = await Promise.allSettled(
      invoices.flatMap((invoice, i) => [
        manager.save(invoice, { transaction: false }),
        manager.insert(Invoice, refused[i]!),
      ]),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      invoices.flatMap(() => ["fulfilled", "rejected"]),
    );
    assert.deepEqual(await namedKeys(), invoices.map(({ scan }) => scan!.key).sort());
    assert.deepEqual(await archive.keys(), [...invoices, ...refused].map(({ scan }) => scan!.key).sort());
    await archive.expire();
    assert.deepEqual(await archive.keys(), await namedKeys());
  });

  it("ends a save with { transaction: false }, of which earlier statements stay carried out", async () => {
    const invoices = [await attached("first"), await attached("taken"), await attached("third")];
    const saving = manager.save(invoices, { transaction: false, chunk: 1 });
    await assert.rejects(saving, { name: "QueryFailedError" });
    assert.deepEqual(await namedKeys(), [invoices[0]!.scan!.key]);
    assert.equal((await archive.keys()).length, 3);
    invoices[1]!.number = "free";
    await manager.save(invoices);
    assert.equal((await namedKeys()).length, 3);
    assert.deepEqual(await archive.keys(), await namedKeys());
  });
});

describeOnEachDatabase("A statement that fails on a query runner older than PrivateFiles", (database) => {
  it("leaves its upload to be saved again", async (t) => {
    let runner!: QueryRunner;
    const open: TestDatabase["open"] = async (model) => {
      const opened = await database.open(model);
      runner = opened.dataSource.createQueryRunner();
      return opened;
    };
    const archive = await openArchive({ ...database, open }, { entities: [Folder, Shelf, Customer, Invoice] });
    t.after(() => archive.close());
    const { manager } = runner;
    await manager.insert(Invoice, { number: "taken" });
    const invoice = manager.create(Invoice, { number: "taken" });
    await archive.files.attach(invoice, "scan", Buffer.from("bytes"));
    await assert.rejects(manager.insert(Invoice, invoice), { name: "QueryFailedError" });
    invoice.number = "free";
    await manager.insert(Invoice, invoice);
    await runner.release();
  });
});

/** Asks for what is not there while an invoice is updated, and does not mind. */
@EventSubscriber()
class Asking implements EntitySubscriberInterface<Invoice> {
  listenTo() {
    return Invoice;
  }
  async beforeUpdate({ manager, databaseEntity }: UpdateEvent<Invoice>): Promise<void> {
    await manager.findOneBy(Invoice, { id: databaseEntity.id });
    await manager.query("SELECT nothing FROM nowhere").catch(() => {});
  }
}

describeOnEachDatabase("A save during which somebody else's statement fails", (database) => {
  it("removes the replaced file all the same", async (t) => {
    const archive = await openArchive(database, {
      entities: [Folder, Shelf, Customer, Invoice],
      subscribers: [Asking],
    });
    t.after(() => archive.close());
    const { files, dataSource } = archive;
    const invoice = new Invoice();
    for (const content of ["first", "second"]) {
      await files.attach(invoice, "scan", Buffer.from(content));
      await dataSource.manager.save(invoice, { transaction: false });
      assert.deepEqual(await archive.keys(), [invoice.scan!.key]);
    }
  });
});

describeOnEachDatabase("A save in chunks of which a statement fails", (database) => {
  it("lets all uploads be saved again, and deletes those up to that chunk that are not", async (t) => {
    const archive = await openArchive(database, { entities: [Folder, Shelf, Customer, Invoice] });
    t.after(() => archive.close());
    const { files, dataSource } = archive;
    const invoices = ["1", "1", "3"].map((number) => dataSource.manager.create(Invoice, { number }));
    for (const invoice of invoices) await files.attach(invoice, "scan", Buffer.from("bytes"));
    await assert.rejects(dataSource.manager.save(invoices, { chunk: 1 }), { name: "QueryFailedError" });
    assert.equal((await archive.keys()).length, 3);
    await dataSource.manager.save(invoices[1]!);
    await archive.expire();
    // No statement was ever made for the last one, so nothing says that it will not be saved.
    assert.deepEqual(await archive.keys(), [invoices[1]!.scan!.key, invoices[2]!.scan!.key].sort());
    await dataSource.manager.save(invoices[2]!);
    await assert.rejects(dataSource.manager.save(invoices[0]!), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });
});
