import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { text } from "node:stream/consumers";
import {
  Column,
  Entity,
  type EntityManager,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  type TransactionStartEvent,
  type UpdateEvent,
  VersionColumn,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { before, it } from "../support/suite.js";
import { needsTypeOrm } from "../support/typeorm.js";

@Entity()
class Folder {
  @PrimaryGeneratedColumn() id!: number;
  @OneToMany(
    () => Invoice,
    (invoice) => invoice.folder,
    { cascade: true },
  )
  invoices!: Relation<Invoice>[];
}

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @Column({ type: String, nullable: true, unique: true }) number!: string | null;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) letter!: PrivateFile | null;
  @VersionColumn() version!: number;
  @ManyToOne(
    () => Folder,
    (folder) => folder.invoices,
    { orphanedRowAction: "delete" },
  )
  folder!: Relation<Folder> | null;
}

describeOnEachDatabase("A file's life in transactions", (database) => {
  const archive = archiveOfSuite(database, { entities: [Folder, Invoice] }, [Invoice, Folder]);
  const oneRunner = /^(sql\.js|better-sqlite3)$/.test(database.name) ? "SQLite has one query runner" : false;
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });

  async function attached(content: string, values: Partial<Invoice> = {}): Promise<Invoice> {
    const invoice = manager.create(Invoice, values);
    await archive.files.attach(invoice, "scan", Buffer.from(content), { filename: "scan.pdf" });
    return invoice;
  }

  async function saved(content: string, values: Partial<Invoice> = {}): Promise<Invoice> {
    return manager.save(await attached(content, values));
  }

  /** What the rows' files contain, as somebody reads them who only now opens the database. */
  async function contents(): Promise<string[]> {
    const rows = await manager.find(Invoice, { order: { id: "ASC" } });
    return Promise.all(rows.filter((row) => row.scan).map(async (row) => text(await archive.files.open(row, "scan"))));
  }

  it("removes the replaced file when the row is saved, and not before", async () => {
    const invoice = await saved("first");
    const [first] = await archive.keys();
    await archive.files.attach(invoice, "scan", Buffer.from("second"), { filename: "scan.pdf" });
    assert.equal((await archive.keys()).length, 2);
    await manager.save(invoice);
    assert.deepEqual(await contents(), ["second"]);
    assert.deepEqual(await archive.keys(), [invoice.scan!.key]);
    assert.notEqual(invoice.scan!.key, first);
  });

  it("removes the file of a property that is set to null", async () => {
    const invoice = await saved("first");
    archive.files.detach(invoice, "scan");
    await manager.save(invoice);
    assert.deepEqual(await archive.keys(), []);
  });

  it("removes the file of a removed row", async () => {
    await manager.remove(await saved("first"));
    assert.deepEqual(await archive.keys(), []);
  });

  it("lets the new file of a row that could not be inserted be saved again, and deletes it in time if it is not", async () => {
    await saved("first", { number: "7" });
    const [second, third] = [await attached("second", { number: "7" }), await attached("third", { number: "7" })];
    for (const invoice of [second, third]) {
      await assert.rejects(manager.save(invoice));
      invoice.number = null;
    }
    assert.equal((await archive.keys()).length, 3);
    await manager.save(second);
    await archive.expire();
    assert.deepEqual(await contents(), ["first", "second"]);
    assert.equal((await archive.keys()).length, 2);
    await assert.rejects(manager.save(third), { code: "ERR_PRIVATE_FILE_DISCARDED" });
    await archive.files.attach(third, "scan", Buffer.from("third"));
    await manager.save(third);
    assert.deepEqual(await contents(), ["first", "second", "third"]);
  });

  it("keeps both files until the caller's transaction ends, and then the new one if it is committed", async () => {
    const invoice = await saved("first");
    await archive.files.attach(invoice, "scan", Buffer.from("second"));
    await manager.transaction(async (inner) => {
      await inner.save(invoice);
      assert.equal((await archive.keys()).length, 2);
    });
    assert.deepEqual(await contents(), ["second"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("keeps the old file alone if it is rolled back", async () => {
    const invoice = await saved("first");
    const doomed = await saved("doomed");
    await archive.files.attach(invoice, "scan", Buffer.from("second"));
    const third = await attached("third");
    const failing = manager.transaction(async (inner) => {
      await inner.save([invoice, third]);
      await inner.remove(doomed);
      assert.equal((await archive.keys()).length, 4);
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    assert.deepEqual(await contents(), ["first", "doomed"]);
    await archive.expire();
    assert.equal((await archive.keys()).length, 2);
    await assert.rejects(manager.save(invoice), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });

  it("keeps the old file when a savepoint was released and the transaction around it is rolled back", async () => {
    const invoice = await saved("first");
    await archive.files.attach(invoice, "scan", Buffer.from("second"));
    const failing = manager.transaction(async (outer) => {
      await outer.transaction((inner) => inner.save(invoice));
      assert.equal((await archive.keys()).length, 2);
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    await archive.expire();
    assert.deepEqual(await contents(), ["first"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("lets the upload of a savepoint that was rolled back be saved again for a while after the transaction is committed", async () => {
    const first = await saved("first");
    const second = await attached("second");
    await manager.transaction(async (outer) => {
      await archive.files.attach(first, "letter", Buffer.from("letter"));
      await outer.save(first);
      await assert.rejects(
        outer.transaction((inner) => fail(inner, second)),
        /changed my mind/,
      );
    });
    assert.equal((await archive.keys()).length, 3);
    await archive.expire();
    assert.deepEqual(await contents(), ["first"]);
    assert.deepEqual(await archive.keys(), [first.letter!.key, first.scan!.key].sort());
    await assert.rejects(manager.save(second), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });

  it("lets an upload be saved again in the same transaction after its savepoint was rolled back", async () => {
    const invoice = await saved("first");
    await archive.files.attach(invoice, "scan", Buffer.from("second"));
    await manager.transaction(async (outer) => {
      await assert.rejects(
        outer.transaction((inner) => fail(inner, invoice)),
        /changed my mind/,
      );
      await outer.save(invoice);
    });
    assert.deepEqual(await contents(), ["second"]);
    assert.equal((await archive.keys()).length, 1);
  });

  for (const [levels, expected] of [
    ["ccc", ["a", "b", "c"]],
    ["ccr", ["a", "b"]],
    ["crc", ["a"]],
    ["crr", ["a"]],
    ["rcc", []],
    ["rcr", []],
    ["rrr", []],
  ] as const) {
    const outcome = [...levels].map((level) => (level === "c" ? "committed" : "rolled back")).join(", ");
    it(`keeps what three levels leave that end ${outcome}, from the outside in`, async () => {
      const old = [await saved("x"), await saved("y"), await saved("z")];
      await nest(manager, 0);
      const replaced = ["x", "y", "z"].map((content, level) => expected[level] ?? content);
      await archive.expire();
      assert.deepEqual(await contents(), replaced);
      assert.equal((await archive.keys()).length, 3);

      async function nest(around: EntityManager, level: number): Promise<void> {
        const invoice = old[level];
        if (!invoice) return;
        await archive.files.attach(invoice, "scan", Buffer.from("abc"[level]!));
        const transaction = around.transaction(async (inner) => {
          await inner.save(invoice);
          await nest(inner, level + 1);
          if (levels[level] === "r") throw new Error("changed my mind");
        });
        await (levels[level] === "r" ? assert.rejects(transaction, /changed my mind/) : transaction);
      }
    });
  }

  it("keeps two transactions of two query runners apart", { skip: oneRunner }, async () => {
    const [first, second] = [await saved("first"), await saved("second")];
    const [committed, rolledBack] = [archive.dataSource.createQueryRunner(), archive.dataSource.createQueryRunner()];
    await archive.files.attach(first, "scan", Buffer.from("new first"));
    await archive.files.attach(second, "scan", Buffer.from("new second"));
    await committed.startTransaction();
    await rolledBack.startTransaction();
    await Promise.all([committed.manager.save(first), rolledBack.manager.save(second)]);
    await rolledBack.rollbackTransaction();
    assert.equal((await archive.keys()).length, 4);
    await committed.commitTransaction();
    await archive.expire();
    assert.deepEqual(await contents(), ["new first", "second"]);
    assert.equal((await archive.keys()).length, 2);
    await Promise.all([committed.release(), rolledBack.release()]);
  });

  it("removes the old file and keeps the new one of a save without a transaction", async () => {
    const invoice = await saved("first");
    await archive.files.attach(invoice, "scan", Buffer.from("second"));
    await manager.save(invoice, { transaction: false });
    assert.deepEqual(await contents(), ["second"]);
    assert.equal((await archive.keys()).length, 1);
    await manager.remove(invoice, { transaction: false });
    assert.deepEqual(await archive.keys(), []);
  });

  it("lets an upload be saved again whose save without a transaction failed", async () => {
    await saved("first", { number: "7" });
    const second = await attached("second", { number: "7" });
    await assert.rejects(manager.save(second, { transaction: false }));
    second.number = "8";
    await manager.save(second);
    assert.deepEqual(await contents(), ["first", "second"]);
  });

  it("deletes an upload in time whose save without listeners was rolled back", async () => {
    const invoice = await attached("new");
    const failing = manager.transaction(async (inner) => {
      await inner.save(invoice, { listeners: false });
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    assert.deepEqual(await archive.keys(), [invoice.scan!.key]);
    await archive.expire();
    assert.deepEqual(await archive.keys(), []);
  });

  it("lets all new files of a save of ten rows be saved again of which the seventh is refused", async () => {
    await saved("old", { number: "7" });
    const ten = await Promise.all(
      Array.from({ length: 10 }, (_, n) => attached(`new ${n + 1}`, { number: `${n + 1}` })),
    );
    await assert.rejects(manager.save(ten));
    assert.deepEqual(await contents(), ["old"]);
    ten[6]!.number = "free";
    await manager.save(ten.slice(5));
    await archive.expire();
    assert.deepEqual((await contents()).sort(), ["new 10", "new 6", "new 7", "new 8", "new 9", "old"]);
    assert.equal((await archive.keys()).length, 6);
  });

  it("removes the files of all columns and all rows that cascades reach", async () => {
    const folder = manager.create(Folder, { invoices: [await attached("a"), await attached("b")] });
    await archive.files.attach(folder.invoices[0]!, "letter", Buffer.from("letter"));
    await manager.save(folder);
    assert.equal((await archive.keys()).length, 3);
    folder.invoices = [folder.invoices[1]!];
    await archive.files.attach(folder.invoices[0]!, "scan", Buffer.from("c"));
    await manager.save(folder);
    assert.deepEqual(await contents(), ["c"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("lets the last one win of two who replace a file at once, and removes the other's", async () => {
    const invoice = await saved("old");
    const two = await Promise.all([
      manager.findOneByOrFail(Invoice, { id: invoice.id }),
      manager.findOneByOrFail(Invoice, { id: invoice.id }),
    ]);
    await Promise.all(two.map((one, n) => archive.files.attach(one, "scan", Buffer.from(`${n}`))));
    await Promise.all(two.map((one) => manager.save(one)));
    const [content, ...others] = await contents();
    assert.match(content!, /^[01]$/);
    assert.deepEqual(others, []);
    assert.equal((await archive.keys()).length, 1);
  });

  it("ends a hundred replacements at once, with ten connections, with one file that is whole", async () => {
    const { id } = await saved("old");
    const rows = await Promise.all(Array.from({ length: 100 }, () => manager.findOneByOrFail(Invoice, { id })));
    await Promise.all(rows.map((row, n) => archive.files.attach(row, "scan", Buffer.from(`${n}`))));
    const results = await Promise.allSettled(rows.map((row) => manager.save(row)));
    assert.deepEqual(
      results.filter(({ status }) => status === "rejected"),
      [],
    );
    assert.match((await contents())[0]!, /^\d+$/);
    assert.equal((await archive.keys()).length, 1);
  });

  it("removes the upload of the one who is late where a version is asked for", async () => {
    const { id, version } = await saved("old");
    const uploads = await Promise.all([attached("one"), attached("two")]);
    const replace = ({ scan }: Invoice) =>
      manager.transaction(async (inner) => {
        const { affected } = await inner.update(Invoice, { id, version }, { scan, version: version + 1 });
        if (affected !== 1) throw new Error("somebody was faster");
      });
    // With one query runner for all, transactions at once would be one transaction.
    const replacing = oneRunner ? [replace(uploads[0]!).then(() => replace(uploads[1]!))] : uploads.map(replace);
    await assert.rejects(Promise.all(replacing), /somebody was faster/);
    await Promise.allSettled(replacing);
    await archive.expire();
    const [content] = await contents();
    const won = ["one", "two"].indexOf(content!);
    assert.equal((await archive.keys()).includes(uploads[won]!.scan!.key), true);
    assert.equal((await archive.keys()).includes(uploads[1 - won]!.scan!.key), false);
  });

  it("removes the replacement of a row that somebody removed after it was loaded", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const afterTransactionStart = (event: TransactionStartEvent) =>
      event.manager.createQueryBuilder().delete().from(Invoice).where({ id: invoice.id }).execute();
    archive.dataSource.subscribers.push({ afterTransactionStart });
    await manager.save(invoice);
    archive.dataSource.subscribers.pop();
    await archive.expire();
    assert.equal((await archive.keys()).includes(invoice.scan!.key), false);
    await assert.rejects(manager.insert(Invoice, { scan: invoice.scan }), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });

  it("keeps the file of a row whose transaction was committed when a subscriber throws afterwards", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const subscriber = {
      afterTransactionCommit: () => {
        throw new Error("a hook failed");
      },
    };
    archive.dataSource.subscribers.push(subscriber);
    await assert.rejects(manager.save(invoice), /a hook failed/);
    archive.dataSource.subscribers.pop();
    await eventually(async () => assert.equal((await archive.keys()).length, 1));
    assert.deepEqual(await contents(), ["new"]);
    await manager.save(invoice);
  });

  it("deletes the new file in time when a subscriber refuses the row", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    archive.dataSource.subscribers.push({ beforeUpdate: () => Promise.reject(new Error("a hook failed")) });
    await assert.rejects(manager.save(invoice), /a hook failed/);
    archive.dataSource.subscribers.pop();
    await archive.expire();
    assert.deepEqual(await contents(), ["old"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("removes an upload that another subscriber put into the row, with the row's own outcome", async () => {
    const invoice = await saved("old");
    const letter = (await attached("by a hook")).scan;
    const beforeUpdate = async (event: UpdateEvent<Invoice>) => {
      await Promise.resolve();
      event.entity!.letter = letter;
    };
    archive.dataSource.subscribers.push({ listenTo: () => Invoice, beforeUpdate });
    const failing = manager.transaction(async (inner) => {
      await inner.save(invoice, { data: {} });
      invoice.title = "changed";
      await inner.save(invoice);
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    archive.dataSource.subscribers.pop();
    await archive.expire();
    assert.deepEqual(await contents(), ["old"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("keeps the upload of a save that a hook holds up while others are committed", async () => {
    const [slow, ...fast] = [await saved("a"), await saved("b"), await saved("c")];
    for (const invoice of [slow, ...fast]) await archive.files.attach(invoice, "scan", Buffer.from("new"));
    let [saving, committed] = [Promise.resolve<unknown>(undefined), Promise.resolve()];
    const heldUp = new EventEmitter();
    const beforeUpdate = async ({ entity }: UpdateEvent<Invoice>) => {
      if (entity !== slow) return;
      heldUp.emit("here");
      await committed;
    };
    archive.dataSource.subscribers.push({ listenTo: () => Invoice, beforeUpdate });
    committed = manager.transaction(async (inner) => {
      await inner.save(fast[0]!);
      const here = once(heldUp, "here");
      saving = manager.save(slow);
      await here;
    });
    await committed;
    await saving;
    await manager.save(fast[1]!);
    archive.dataSource.subscribers.pop();
    assert.deepEqual(await contents(), ["new", "new", "new"]);
    assert.equal((await archive.keys()).length, 3);
  });

  it("removes the upload of a failed statement that nobody heeded, when the others are committed", async () => {
    await saved("a", { number: "7" });
    const [second, third] = [await attached("b", { number: "7" }), await attached("c")];
    const committing = manager.transaction(async (inner) => {
      await inner.save(third);
      await assert.rejects(inner.save(second));
    });
    await committing;
    // PostgreSQL makes a rollback of this COMMIT.
    const expected = database.name === "PostgreSQL" ? ["a"] : ["a", "c"];
    assert.deepEqual(await contents(), expected);
    // With one query runner for all the statement might still be on its way when a transaction ends for the first time.
    if (oneRunner) await manager.save(manager.create(Invoice, { title: "another" }));
    await archive.expire();
    assert.equal((await archive.keys()).includes(second.scan!.key), false);
    await assert.rejects(manager.save(second), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });

  it("keeps the upload of a statement that is on its way when another's transaction is rolled back", {
    // Before, TypeORM does not wait for an asynchronous beforeQuery.
    skip: !oneRunner || needsTypeOrm(database.name === "better-sqlite3" ? "1.1.0" : "0.3.23"),
  }, async () => {
    const [first, second] = [await attached("a", { number: "1" }), await attached("b", { number: "2" })];
    const told = new EventEmitter();
    let saving: Promise<unknown> = Promise.resolve();
    archive.dataSource.subscribers.push({
      afterTransactionRollback: () => void told.emit("rolled back"),
      beforeQuery: async ({ query, parameters }) => {
        if (!query.startsWith("INSERT") || !parameters?.includes("2")) return;
        const rolledBack = once(told, "rolled back");
        told.emit("on its way");
        await rolledBack;
      },
    });
    const failing = manager.transaction(async (inner) => {
      await inner.save(first);
      const onItsWay = once(told, "on its way");
      saving = manager.save(second);
      await onItsWay;
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    await saving;
    archive.dataSource.subscribers.pop();
    await archive.expire();
    assert.deepEqual(await contents(), ["b"]);
    assert.deepEqual(await archive.keys(), [second.scan!.key]);
    second.title = "changed";
    await manager.save(second);
  });

  it("refuses a file that its row gives away, by a save which a hook holds up until that is committed", {
    skip: !oneRunner,
  }, async () => {
    const [from, to] = [await saved("given away"), await saved("kept")];
    const { scan } = from;
    const heldUp = new EventEmitter();
    let [saving, committed] = [Promise.resolve<unknown>(undefined), Promise.resolve()];
    const beforeUpdate = async ({ entity }: UpdateEvent<Invoice>) => {
      if (entity !== to) return;
      heldUp.emit("here");
      await committed;
    };
    archive.dataSource.subscribers.push({ listenTo: () => Invoice, beforeUpdate });
    committed = manager.transaction(async (inner) => {
      await inner.save(Object.assign(from, { scan: null }));
      const here = once(heldUp, "here");
      saving = assert.rejects(manager.save(Object.assign(to, { scan })), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      await here;
    });
    await committed;
    await saving;
    archive.dataSource.subscribers.pop();
    assert.deepEqual(await contents(), ["kept"]);
    await manager.save(manager.create(Invoice, { title: "another" }));
    assert.equal((await archive.keys()).length, 1);
  });

  it("keeps a file that raw SQL copied into another row, which the next transaction deletes and is rolled back", async () => {
    const first = await saved("shared");
    const second = await manager.save(manager.create(Invoice, {}));
    await manager.query(`UPDATE invoice SET scan = '${first.scan!.key}' WHERE id = ${second.id}`);
    await archive.files.attach(first, "scan", Buffer.from("new"));
    const told = new EventEmitter();
    const begun = once(told, "committed").then(() =>
      manager.transaction(async (inner) => {
        // Nobody tells us of this, and on SQLite everybody sees it at once.
        await inner.query(`DELETE FROM invoice WHERE id = ${second.id}`);
        await saving;
        throw new Error("changed my mind");
      }),
    );
    archive.dataSource.subscribers.push({ afterTransactionCommit: () => void told.emit("committed") });
    const saving = manager.save(first);
    await assert.rejects(begun, /changed my mind/);
    archive.dataSource.subscribers.pop();
    assert.deepEqual(await contents(), ["new", "shared"]);
    await manager.remove(await manager.findOneByOrFail(Invoice, { id: second.id }));
    assert.deepEqual(await archive.keys(), [first.scan!.key]);
  });

  it("refuses to save one entity twice at once, and one upload in two rows at once", { skip: oneRunner }, async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    // Before a save opens its transaction it has found out what there is to write. On a busy machine the first could be done by then.
    const [others, starting] = [new EventEmitter(), new Set<unknown>()];
    const beforeTransactionStart = async ({ queryRunner }: TransactionStartEvent) => {
      starting.add(queryRunner);
      if (starting.size === 2) others.emit("start");
      else await once(others, "start");
    };
    archive.dataSource.subscribers.push({ beforeTransactionStart });
    await assertOneIsRefused([manager.save(invoice), manager.save(invoice)]);
    archive.dataSource.subscribers.pop();
    const upload = (await attached("shared")).scan;
    const rows = [manager.create(Invoice, { scan: upload }), manager.create(Invoice, { scan: upload })];
    await assertOneIsRefused(rows.map((row) => manager.save(row)));
    assert.deepEqual(await contents(), ["new", "shared"]);
    assert.equal((await archive.keys()).length, 2);
  });

  it("saves an entity that is twice in one save", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    await manager.save([invoice, invoice]);
    assert.deepEqual(await contents(), ["new"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("gives an upload that a savepoint rolled back to another row", async () => {
    const upload = (await attached("moved")).scan;
    const [first, second] = [manager.create(Invoice, { scan: upload }), manager.create(Invoice, { scan: upload })];
    await manager.transaction(async (outer) => {
      await assert.rejects(
        outer.transaction((inner) => fail(inner, first)),
        /changed my mind/,
      );
      await outer.save(second);
      await assert.rejects(outer.save(manager.create(Invoice, { scan: upload })), {
        code: "ERR_PRIVATE_FILE_OTHER_ROW",
      });
    });
    await archive.expire();
    assert.deepEqual(await contents(), ["moved"]);
    assert.equal((await archive.keys()).length, 1);
  });

  it("resolves although the old file can't be removed, and says so in a warning", async (t) => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on("warning", listen);
    t.after(() => process.off("warning", listen));
    t.mock.method(archive.storage, "delete", () => Promise.reject(new Error("the disk is read-only")));
    await manager.save(invoice);
    t.mock.restoreAll();
    await eventually(async () => assert.match(String(warnings[0]), /^PrivateFileWarning: .*the disk is read-only/));
    assert.deepEqual(await contents(), ["new"]);
    assert.equal((await archive.keys()).length, 2);
  });

  async function assertOneIsRefused(saves: Promise<unknown>[]): Promise<void> {
    const results = await Promise.allSettled(saves);
    const codes = results.map((result) => (result.status === "rejected" ? result.reason.code : "saved")).sort();
    assert.deepEqual(codes, ["ERR_PRIVATE_FILE_OTHER_ROW", "saved"]);
  }

  async function fail(inner: EntityManager, invoice: Invoice): Promise<never> {
    await inner.save(invoice);
    throw new Error("changed my mind");
  }
});
