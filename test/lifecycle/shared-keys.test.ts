import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import type { EntityManager } from "typeorm";
import { PrivateFile } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, it } from "../support/suite.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";

describeOnEachDatabase("A key that is in several places", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Shelf, Customer, Invoice] }, [Invoice]);
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

  /** Two rows with one file. */
  async function twins(): Promise<[Invoice, Invoice]> {
    const original = await saved("shared");
    const copy = await manager.save(manager.create(Invoice, { scan: original.scan }));
    return [original, copy];
  }

  /** What the rows' files contain, soft-deleted rows included, in the order of the rows. */
  async function contents(): Promise<(string | null)[]> {
    const rows = await manager.find(Invoice, { order: { id: "ASC" }, withDeleted: true });
    return Promise.all(rows.map(async (row) => (row.scan ? text(await archive.files.open(row, "scan")) : null)));
  }

  it("stays while one of two rows that name it is left, and goes with the last", async () => {
    const [original, copy] = await twins();
    await manager.remove(original);
    assert.deepEqual(await contents(), ["shared"]);
    await manager.remove(copy);
    assert.deepEqual(await archive.keys(), []);
  });

  it("goes when both rows that name it are removed at once", async () => {
    await manager.remove(await twins());
    assert.deepEqual(await archive.keys(), []);
  });

  it("stays when one of two rows that name it gets another file", async () => {
    const [original] = await twins();
    await manager.save(await attached("another", original));
    assert.deepEqual(await contents(), ["another", "shared"]);
    assert.equal((await archive.keys()).length, 2);
  });

  it("stays when it moves from one row to another in two saves of one transaction", async () => {
    const [from, to] = [await saved("moved"), await saved("replaced")];
    const { scan } = from;
    await manager.transaction(async (inner) => {
      await inner.save(Object.assign(from, { scan: null }));
      await inner.save(Object.assign(to, { scan }));
    });
    assert.deepEqual(await contents(), [null, "moved"]);
    assert.deepEqual(await archive.keys(), [scan!.key]);
    const failing = manager.transaction(async (inner) => {
      await inner.save(Object.assign(to, { scan: null }));
      await inner.save(Object.assign(from, { scan }));
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    assert.deepEqual(await contents(), [null, "moved"]);
    await manager.remove(await manager.findOneByOrFail(Invoice, { id: to.id }));
    assert.deepEqual(await archive.keys(), []);
  });

  it("goes when it was moved to a row that is removed in the same transaction", async () => {
    const [from, to] = [await saved("moved"), await saved("replaced")];
    const { scan } = from;
    await manager.transaction(async (inner) => {
      await inner.save([Object.assign(from, { scan: null }), Object.assign(to, { scan })]);
      await inner.delete(Invoice, { id: to.id });
    });
    assert.deepEqual(await archive.keys(), []);
  });

  it("stays when it moves from one row to another in one save", async () => {
    const [from, to] = [await saved("moved"), await saved("replaced")];
    [from.scan, to.scan] = [null, from.scan];
    await manager.save([from, to]);
    assert.deepEqual(await contents(), [null, "moved"]);
    assert.deepEqual(await archive.keys(), [to.scan!.key]);
  });

  it("stays when two rows change their files in one save", async () => {
    const [one, other] = [await saved("one"), await saved("other")];
    [one.scan, other.scan] = [other.scan, one.scan];
    await manager.save([one, other]);
    assert.deepEqual(await contents(), ["other", "one"]);
    assert.equal((await archive.keys()).length, 2);
  });

  it("is where it was when a move is rolled back", async () => {
    const [from, to] = [await saved("moved"), await saved("replaced")];
    [from.scan, to.scan] = [null, from.scan];
    const transaction = manager.transaction(async (inside) => {
      await inside.save([from, to]);
      throw new Error("Not today.");
    });
    await assert.rejects(transaction, { message: "Not today." });
    assert.deepEqual(await contents(), ["moved", "replaced"]);
  });

  it("may be one upload in two entities of one save", async () => {
    const first = await attached("shared");
    await manager.save([first, manager.create(Invoice, { scan: first.scan })]);
    assert.deepEqual(await contents(), ["shared", "shared"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("may be one upload in two entities that are saved at the same moment", async () => {
    const first = await attached("shared");
    const second = manager.create(Invoice, { scan: first.scan });
    await Promise.all([manager.save(first), manager.save(second)]);
    assert.deepEqual(await contents(), ["shared", "shared"]);
  });

  it("is refused in the second entity when the save of the first was rolled back", async () => {
    await manager.save(manager.create(Invoice, { number: "taken" }));
    const first = await attached("shared", manager.create(Invoice, { number: "taken" }));
    const second = manager.create(Invoice, { scan: first.scan });
    await assert.rejects(manager.save(first), { name: "QueryFailedError" });
    await assert.rejects(manager.save(second), { code: "ERR_PRIVATE_FILE_DISCARDED" });
    assert.deepEqual(await contents(), [null]);
  });

  it("stays when the second entity with it could not be saved", async () => {
    const first = await saved("shared");
    const second = manager.create(Invoice, { number: "taken", scan: first.scan });
    await manager.insert(Invoice, { number: "taken" });
    await assert.rejects(manager.save(second), { name: "QueryFailedError" });
    await assert.rejects(manager.insert(Invoice, second), { name: "QueryFailedError" });
    assert.deepEqual(await contents(), ["shared", null]);
  });

  it("stays for the copy of a row that insert made", async () => {
    const original = await saved("shared");
    await manager.insert(Invoice, { title: "a copy", scan: original.scan });
    await manager.remove(original);
    assert.deepEqual(await contents(), ["shared"]);
  });

  it("stays while only a soft-deleted row names it", async () => {
    const [original, copy] = await twins();
    await manager.softRemove(copy);
    await manager.remove(original);
    assert.deepEqual(await contents(), ["shared"]);
    await manager.remove(copy);
    assert.deepEqual(await archive.keys(), []);
  });

  it("that the application made itself is no upload: it stays on rollback, and goes with its row", async () => {
    const { key } = await attached("of Django").then((invoice) => invoice.scan!);
    const invoice = manager.create(Invoice, { scan: new PrivateFile(key) });
    const transaction = manager.transaction(async (inside) => {
      await inside.save(invoice);
      throw new Error("Not today.");
    });
    await assert.rejects(transaction, { message: "Not today." });
    assert.deepEqual(await archive.keys(), [key]);
    const again = await manager.save(manager.create(Invoice, { scan: new PrivateFile(key) }));
    assert.deepEqual(await contents(), ["of Django"]);
    await manager.remove(again);
    assert.deepEqual(await archive.keys(), []);
  });
});
