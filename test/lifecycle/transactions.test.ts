import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, it } from "node:test";
import {
  Column,
  Entity,
  type EntityManager,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  VersionColumn,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Archive, openArchive } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";

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
  let archive: Archive;
  let manager: EntityManager;
  before(async () => {
    archive = await openArchive(database, { entities: [Folder, Invoice] });
    manager = archive.dataSource.manager;
  });
  after(() => archive.close());
  beforeEach(async () => {
    await manager.deleteAll(Invoice);
    await manager.deleteAll(Folder);
    for (const key of await archive.keys()) await archive.storage.delete(key);
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

  it("removes the new file of a row that could not be inserted, and refuses to save that upload again", async () => {
    await saved("first", { number: "7" });
    const second = await attached("second", { number: "7" });
    await assert.rejects(manager.save(second));
    assert.deepEqual(await contents(), ["first"]);
    assert.equal((await archive.keys()).length, 1);
    second.number = "8";
    await assert.rejects(manager.save(second), { code: "ERR_PRIVATE_FILE_DISCARDED" });
    await archive.files.attach(second, "scan", Buffer.from("second"));
    await manager.save(second);
    assert.deepEqual(await contents(), ["first", "second"]);
  });
});
