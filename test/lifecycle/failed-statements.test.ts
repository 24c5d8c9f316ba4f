import assert from "node:assert/strict";
import { after, before, beforeEach, it } from "node:test";
import { type EntityManager, Like } from "typeorm";
import { type Archive, openArchive } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";

describeOnEachDatabase("A statement that fails outside a transaction", (database) => {
  let archive: Archive;
  let manager: EntityManager;
  before(async () => {
    archive = await openArchive(database, { entities: [Folder, Shelf, Customer, Invoice] });
    manager = archive.dataSource.manager;
  });
  after(() => archive.close());
  beforeEach(async () => {
    await manager.deleteAll(Invoice);
    for (const key of await archive.keys()) await archive.storage.delete(key);
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

  it("leaves the uploads of other statements alone, made at the same moment", async () => {
    const invoices = await Promise.all(Array.from({ length: 20 }, (_, i) => attached(i % 2 ? `free-${i}` : "taken")));
    const outcomes = await Promise.allSettled(invoices.map((invoice) => manager.insert(Invoice, invoice)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      invoices.map(({ number }) => (number === "taken" ? "rejected" : "fulfilled")),
    );
    const saved = invoices.filter(({ number }) => number !== "taken");
    assert.deepEqual(await namedKeys(), saved.map(({ scan }) => scan!.key).sort());
    await manager.remove(await manager.findBy(Invoice, { number: Like("free-%") }));
    const refused = invoices.filter(({ number }) => number === "taken");
    assert.deepEqual(await archive.keys(), refused.map(({ scan }) => scan!.key).sort());
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

describeOnEachDatabase("A save in chunks of which a statement fails", (database) => {
  it("removes the uploads up to that chunk, and leaves those behind it to be saved again", async (t) => {
    const archive = await openArchive(database, { entities: [Folder, Shelf, Customer, Invoice] });
    t.after(() => archive.close());
    const { files, dataSource } = archive;
    const invoices = ["1", "1", "3"].map((number) => dataSource.manager.create(Invoice, { number }));
    for (const invoice of invoices) await files.attach(invoice, "scan", Buffer.from("bytes"));
    await assert.rejects(dataSource.manager.save(invoices, { chunk: 1 }), { name: "QueryFailedError" });
    assert.deepEqual(await archive.keys(), [invoices[2]!.scan!.key]);
    await dataSource.manager.save(invoices[2]!);
    assert.deepEqual(await archive.keys(), [invoices[2]!.scan!.key]);
  });
});
