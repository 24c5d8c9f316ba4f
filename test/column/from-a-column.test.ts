import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  ConfigurationError,
  type DatabaseColumnOptions,
  type PrivateFile,
  PrivateFileColumn,
} from "typeorm-private-files";
import { startApplication } from "../support/application.js";
import { describeOnEachDatabase, reopen, type TestDatabase } from "../support/databases.js";
import { fencesOf } from "../support/markdown.js";
import { describe, it, type TestContext } from "../support/suite.js";

interface Invoice {
  id: number;
  path: PrivateFile | null;
  pathName?: string | null;
}

/** What may stand in `@Column(…)`, and in `@PrivateFileColumn(…)` then. */
const declarations: [string, DatabaseColumnOptions][] = [
  ["nothing", {}],
  ["nullable", { nullable: true }],
  ["length", { length: 100 }],
  ["type: String", { type: String, nullable: true }],
  ['type: "text"', { type: "text", nullable: true }],
  ['type: "varchar"', { type: "varchar" }],
  ['type: "varchar" and length', { type: "varchar", length: 150 }],
  ["unique", { unique: true }],
  ["an empty default", { default: "", length: 150 }],
  ["a default", { default: "uploads/none.png" }],
  ["a default of null", { default: null, nullable: true }],
  ["a default that is an expression", { default: () => "'uploads/none.png'" }],
  ["name, comment", { name: "file_path", comment: "where the scan is" }],
];

describeOnEachDatabase("a column of the user's own that becomes a private column", (database) => {
  for (const [title, options] of declarations) {
    it(`changes no schema, keeps the values and serves the files: ${title}`, async (t) => {
      const application = await adopt(t, database, Column({ type: String, ...options }), options);
      const { dataSource } = application;
      const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
      assert.deepEqual(
        [...upQueries, ...downQueries].map(({ query }) => query),
        [],
      );
      await dataSource.synchronize();
      const invoice = await dataSource.getRepository<Invoice>("Invoice").findOneByOrFail({ id: 1 });
      const answer = await application.get(application.files.url(invoice, "path"), { as: "anybody" });
      assert.equal(answer.body.toString(), "a bill");
    });
  }

  it("takes uploads for rows beside the old ones, and keeps what the database's default names", async (t) => {
    const options = { default: "uploads/none.png" };
    const { dataSource, files, storage } = await adopt(t, database, Column({ type: String, ...options }), options);
    await storage.put("uploads/none.png", Readable.from([Buffer.from("a picture")]));
    const invoices = dataSource.getRepository<Invoice>("Invoice");
    const without = await invoices.save(invoices.create({}));
    assert.equal(without.path?.key, "uploads/none.png");
    const { key } = await files.attach(without, "path", Buffer.from("x"), { filename: "b.pdf" });
    await invoices.save(without);
    assert.equal((await invoices.findOneByOrFail({ id: without.id })).path!.key, key);
    await invoices.remove(without);
    assert.ok(await storage.stat("uploads/none.png"));
    assert.equal(await storage.stat(key), undefined);
  });

  it("cuts names to the limit that the database has for a column without a length", async (t) => {
    const uploadTo = (_: unknown, filename: string) => `${"f".repeat(100)}/${"g".repeat(80)}/${filename}`;
    const { dataSource, files } = await adopt(t, database, Column({ type: String }), {
      uploadTo,
      fields: { name: "pathName" },
    });
    const invoices = dataSource.getRepository<Invoice>("Invoice");
    const invoice = invoices.create({});
    const { key } = await files.attach(invoice, "path", Buffer.from("x"), { filename: `${"n".repeat(300)}.pdf` });
    await invoices.save(invoice);
    const isLimited = database.name === "MariaDB";
    assert.equal(key.length, isLimited ? 255 : 182 + 31 + 100);
    const { path, pathName } = await invoices.findOneByOrFail({ id: invoice.id });
    assert.deepEqual([path!.key, pathName!.length], [key, isLimited ? 255 : 304]);
  });
});

describeOnEachDatabase("the statements of docs/from-a-column.md", (database) => {
  it("strip what stands before a key, and leave a key as it is, however often they are run", async (t) => {
    const { dataSource, close } = await database.open({ entities: [invoiceWith(Column({ type: String }))] });
    t.after(close);
    const prefixes = ["/", "https://cdn.example.com/", "/srv/app/public/", ""];
    const names = ["2019/report.pdf", "2019/résumé 100%.pdf", "日本.pdf"];
    const values = prefixes.flatMap((prefix) => names.map((name) => ({ path: `${prefix}uploads/${name}` })));
    await dataSource.getRepository("Invoice").insert(values);
    const page = await readFile(new URL("../../../docs/from-a-column.md", import.meta.url), "utf8");
    const statements = fencesOf(page).flatMap(({ info, code }) => (info === "sql" ? code.split(";\n") : []));
    assert.equal(statements.filter((statement) => statement.trim() !== "").length, 3);
    for (const sql of [...statements, ...statements]) if (sql.trim() !== "") await dataSource.query(sql);
    const rows = await dataSource.getRepository<{ path: string }>("Invoice").find({ order: { id: "ASC" } as never });
    assert.deepEqual(
      rows.map(({ path }) => path),
      prefixes.flatMap(() => names.map((name) => `uploads/${name}`)),
    );
  });
});

describe("the type of a private column", () => {
  it("is refused where keys would not stay as they are", () => {
    for (const type of ["char", "tinytext", "uuid", "int", "json", Number] as never[]) {
      assert.throws(() => invoiceWith(PrivateFileColumn({ type })), ConfigurationError);
    }
  });
});

/** A table of a column of the user's own with a row and its file, and an application whose entity has a private column there. */
async function adopt(t: TestContext, database: TestDatabase, column: PropertyDecorator, options: object) {
  const { dataSource: old, close } = await database.open({ entities: [invoiceWith(column)] });
  await old.getRepository("Invoice").insert({ path: "uploads/a.pdf" });
  const dataSource = await reopen(old, { entities: [invoiceWith(PrivateFileColumn(options))] });
  const opened = { dataSource, close: () => dataSource.destroy().then(close) };
  const application = await startApplication({ database: { name: "", open: async () => opened }, entities: [] });
  t.after(() => application.close());
  await application.storage.put("uploads/a.pdf", Readable.from([Buffer.from("a bill")]));
  return application;
}

function invoiceWith(column: PropertyDecorator): new () => object {
  @Entity()
  class Invoice {
    @PrimaryGeneratedColumn() id!: number;
    @column path!: unknown;
    @Column({ type: String, nullable: true }) pathName!: string | null;
  }
  return Invoice;
}
