import assert from "node:assert/strict";
import { Column, Entity, EntitySchema, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, privateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, select: false }) hidden!: PrivateFile | null;
}

interface Letter {
  id: number;
  scan: PrivateFile | null;
  letter: PrivateFile | null;
}

const LetterSchema = new EntitySchema<Letter>({
  name: "Letter",
  columns: {
    id: { type: Number, primary: true, generated: true },
    letter: privateFileColumn<Letter>({ nullable: true }),
  },
});

const bytes = Buffer.from("bytes");
const NOT_SAVED = /^Invoice\.scan: the file is attached, but not saved\. Save the entity first\.$/;
const ROLLED_BACK = /^Invoice\.scan: saving the file was rolled back\. Save the entity again\.$/;

describeOnEachDatabase("the URL of a file", (database) => {
  let application: Application;
  beforeEach(async () => {
    application = await startApplication({ database, entities: [Invoice, LetterSchema] });
  });
  afterEach(() => application.close());

  async function saved(title = "saved") {
    const { files, dataSource } = application;
    const invoice = dataSource.manager.create(Invoice, { title });
    await files.attach(invoice, "scan", bytes, { filename: "scan.pdf" });
    await files.attach(invoice, "hidden", bytes, { filename: "hidden.pdf" });
    return dataSource.manager.save(invoice);
  }

  function refuses(entity: object, message: RegExp, property = "scan") {
    const { files } = application;
    assert.throws(() => files.url(entity as Invoice, property as "scan"), {
      code: "ERR_PRIVATE_FILE_NOT_FOUND",
      message,
    });
  }

  it("is refused while the file is attached but not saved, in a new entity and in one that had a file", async () => {
    const { files, dataSource } = application;
    const fresh = dataSource.manager.create(Invoice, {});
    await files.attach(fresh, "scan", bytes);
    refuses(fresh, NOT_SAVED);
    const invoice = await saved();
    await files.attach(invoice, "scan", bytes, { filename: "other.pdf" });
    refuses(invoice, NOT_SAVED);
    await dataSource.manager.save(invoice);
    assert.match(files.url(invoice, "scan"), /\/other\.pdf$/);
  });

  it("is there in the transaction that saves the file, and refused when that was rolled back", async () => {
    const { files, dataSource } = application;
    const invoice = await saved();
    await files.attach(invoice, "scan", bytes, { filename: "other.pdf" });
    const failing = dataSource.transaction(async (manager) => {
      await manager.save(invoice);
      assert.match(files.url(invoice, "scan"), /\/other\.pdf$/);
      throw new Error("rolled back");
    });
    await assert.rejects(failing, /rolled back/);
    refuses(invoice, ROLLED_BACK);
    await dataSource.manager.save(invoice);
    assert.match(files.url(invoice, "scan"), /\/other\.pdf$/);
    assert.equal((await application.get(files.url(invoice, "scan"), { as: "somebody" })).status, 200);
  });

  it("is refused when the upload was deleted", async () => {
    const { files } = application;
    const invoice = await saved();
    await files.attach(invoice, "scan", bytes);
    const discarded = invoice.scan;
    await files.attach(invoice, "scan", bytes);
    invoice.scan = discarded;
    refuses(invoice, /^Invoice\.scan: the file was deleted, since .*\. Attach it again\.$/);
  });

  it("is refused where the column was not loaded, by select: false and by a partial select, with the way to load it", async () => {
    const { manager } = application.dataSource;
    const { id } = await saved();
    const whole = await manager.findOneByOrFail(Invoice, { id });
    refuses(
      whole,
      /^Invoice\.hidden: the column was not loaded\. It has select: false, so ask for it with a query builder: addSelect\("Invoice\.hidden"\)\.$/,
      "hidden",
    );
    const part = await manager.findOneOrFail(Invoice, { where: { id }, select: { id: true, title: true } });
    const message =
      /^Invoice\.scan: the column was not loaded\. Add "scan" to the "select" that the entity was loaded with\.$/;
    refuses(part, message);
    await assert.rejects(application.files.open(part, "scan"), { code: "ERR_PRIVATE_FILE_NOT_FOUND", message });
    await assert.rejects(application.files.stat(part, "scan"), { code: "ERR_PRIVATE_FILE_NOT_FOUND", message });
    await assert.rejects(application.files.copy(part, "scan", manager.create(Invoice, {}), "scan"), { message });
  });

  it("is refused where there is no file, or something else in its place", async () => {
    const { manager } = application.dataSource;
    const message = /^Invoice\.scan: there is no file\. Attach one, and save the entity\.$/;
    refuses(manager.create(Invoice, {}), message);
    refuses(await manager.save(manager.create(Invoice, { scan: null })), message);
    const invoice = await saved();
    for (const scan of ["uploads/scan.pdf", structuredClone({ name: "scan.pdf" })]) {
      refuses(
        Object.assign(invoice, { scan }),
        /^Invoice\.scan: the property must be a PrivateFile, got (a string|an object)\. Load the entity again\.$/,
      );
    }
  });

  it("is refused for a plain object, as save returns it, which is told apart from an entity", async () => {
    const { files, dataSource } = application;
    const plain = await dataSource.manager.save(Invoice, { title: "plain", scan: null });
    assert.equal(plain.constructor, Object);
    assert.throws(() => files.url(plain as Invoice, "scan"), {
      code: "ERR_PRIVATE_FILE_CONFIGURATION",
      message:
        "entity.scan: the entity must be an instance of Invoice, got a plain object, as manager.save(Invoice, { … }) returns it. Make it with manager.create(Invoice, { … }) and save that, or load it.",
    });
    const letter = await dataSource.manager.save(LetterSchema, { letter: null } as Letter);
    assert.throws(() => files.url(letter, "letter"), { message: /^Letter\.letter: there is no file\./ });
  });
});

describe("the message for an object that is no entity", () => {
  it("names no class where none has the property", async (t) => {
    const application = await startApplication({ entities: [Invoice] });
    t.after(() => application.close());
    assert.throws(() => application.files.url({} as Invoice, "nothing" as "scan"), {
      message: /^entity\.nothing: the entity must be an instance of an entity class, got a plain object/,
    });
  });
});
