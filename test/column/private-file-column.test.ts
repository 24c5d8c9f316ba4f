import assert from "node:assert/strict";
import {
  ChildEntity,
  Column,
  CreateDateColumn,
  DataSource,
  Entity,
  EntitySchema,
  ManyToOne,
  PrimaryGeneratedColumn,
  TableInheritance,
} from "typeorm";
import {
  ConfigurationError,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  privateFileColumn,
} from "typeorm-private-files";
import { contentDisposition } from "../../src/http/disposition.js";
import { startApplication } from "../support/application.js";
import { describeOnEachDatabase, sqljs } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { describe, it } from "../support/suite.js";

abstract class Document {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Document>({ uploadTo: "documents", condition: (_ctx, document) => document.readable })
  file!: PrivateFile;
  @Column({ default: true }) readable!: boolean;
}

@Entity()
class Invoice extends Document {
  @Column({ default: 0 }) amount!: number;
}

@Entity()
class Contract extends Document {}

class Profile {
  @PrivateFileColumn({ uploadTo: "photos", nullable: true, fields: { name: "photoName" } }) photo!: PrivateFile | null;
  @Column({ type: String, length: 40, nullable: true }) photoName!: string | null;
}

@Entity()
class Person {
  @PrimaryGeneratedColumn() id!: number;
  @Column(() => Profile) profile!: Profile;
}

@Entity()
@TableInheritance({ column: { type: "varchar", name: "type", length: 20 } })
class Animal {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "animals", nullable: true }) picture!: PrivateFile | null;
}

@ChildEntity()
class Cat extends Animal {
  @PrivateFileColumn({ uploadTo: "cats", nullable: true, condition: () => false }) diary!: PrivateFile | null;
}

@ChildEntity()
class Dog extends Animal {
  @PrivateFileColumn({ uploadTo: "dogs", nullable: true }) diary!: PrivateFile | null;
}

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "notes", nullable: true, fields: { name: "fileName" } }) file!: PrivateFile | null;
  @Column({ type: String, nullable: true, select: false }) fileName!: string | null;
}

interface Scan {
  id: number;
  image: PrivateFile | null;
}

const ScanSchema = new EntitySchema<Scan>({
  name: "Scan",
  columns: {
    id: { type: Number, primary: true, generated: true },
    image: privateFileColumn<Scan>({ uploadTo: "scans", nullable: true, condition: (_ctx, scan) => scan.id === 1 }),
  },
});

const noStorage = new MemoryStorage();
const entities = [Invoice, Contract, Person, Animal, Cat, Dog, Note, ScanSchema];

describeOnEachDatabase("a private file column", (database) => {
  it("is a varchar that holds the key and nothing else, and a PrivateFile in the entity", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const column = dataSource.getMetadata(Invoice).findColumnWithPropertyName("file")!;
    assert.match(dataSource.driver.normalizeType(column), /^(varchar|character varying)$/);
    assert.equal(column.length, "");

    const invoice = dataSource.manager.create(Invoice, {});
    const file = await files.attach(invoice, "file", Buffer.from("x"), { filename: "a.pdf" });
    await dataSource.manager.save(invoice);
    const [row] = await dataSource.manager.createQueryBuilder(Invoice, "i").select("i.file", "file").getRawMany();
    assert.equal(row.file, file.key);
    const loaded = await dataSource.manager.findOneByOrFail(Invoice, { id: invoice.id });
    assert.ok(loaded.file instanceof PrivateFile);
    assert.equal(loaded.file.key, file.key);
    assert.equal(loaded.file.name, "a.pdf");
  });

  it("is inherited from an abstract base, with a URL for each entity and the rule of the base", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    for (const [entityClass, segment] of [
      [Invoice, "invoice"],
      [Contract, "contract"],
    ] as const) {
      const entity = dataSource.manager.create(entityClass, {});
      await files.attach(entity, "file", Buffer.from(segment), { filename: "a.txt" });
      await dataSource.manager.save(entity);
      assert.equal(files.url(entity, "file"), `/private-files/${segment}/file/${entity.id}/a.txt`);
      assert.equal((await application.get(files.url(entity, "file"))).body.toString(), segment);
      await dataSource.manager.update(entityClass, { id: entity.id }, { readable: false });
      assert.equal((await application.get(files.url(entity, "file"))).status, 403);
    }
  });

  it("works in an embedded entity, and fills the embedded sibling that keeps the name", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const person = dataSource.manager.create(Person, { profile: {} });
    await files.attach(person, "profile.photo", Buffer.from("a face"), { filename: "me & you.png" });
    await dataSource.manager.save(person);
    assert.equal(files.url(person, "profile.photo"), `/private-files/person/profile.photo/${person.id}/me___you.png`);
    const loaded = await dataSource.manager.findOneByOrFail(Person, { id: person.id });
    assert.equal(loaded.profile.photoName, "me & you.png");
    const answer = await application.get(files.url(loaded, "profile.photo"), { as: "anybody" });
    assert.equal(answer.body.toString(), "a face");
    assert.equal(answer.headers["content-disposition"], 'attachment; filename="me & you.png"');
  });

  it("keeps any name that a client sends in a way that the database takes", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const names = ["a\0b\r\n.png", "\ud800.png", "😀".repeat(100), "../../etc/passwd", "", 'Ünï "cödé" 日本.png'];
    const kept = [];
    for (const filename of names) {
      const person = dataSource.manager.create(Person, { profile: {} });
      await files.attach(person, "profile.photo", Buffer.from("x"), { filename });
      await dataSource.manager.save(person);
      kept.push((await dataSource.manager.findOneByOrFail(Person, { id: person.id })).profile.photoName);
      assert.equal((await application.get(files.url(person, "profile.photo"), { as: "anybody" })).status, 200);
    }
    assert.deepEqual(kept, ["ab.png", "\ufffd.png", "😀".repeat(40), "../../etc/passwd", "", 'Ünï "cödé" 日本.png']);
  });

  it("cuts a name that is longer than its column before the extension, between graphemes, and offers it like that", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    for (const [filename, kept] of [
      [`${"a".repeat(88)}.png`, `${"a".repeat(36)}.png`],
      [`${"😀".repeat(36)}.png`, `${"😀".repeat(36)}.png`],
      [`a${"👩🏽".repeat(36)}.png`, `a${"👩🏽".repeat(17)}.png`],
      [`${"o\u0308".repeat(36)}.png`, `${"ö".repeat(36)}.png`],
      [`${"x".repeat(40)}.tar.gz`, `${"x".repeat(33)}.tar.gz`],
    ] as const) {
      const person = dataSource.manager.create(Person, { profile: {} });
      await files.attach(person, "profile.photo", Buffer.from("x"), { filename });
      await dataSource.manager.save(person);
      assert.equal((await dataSource.manager.findOneByOrFail(Person, { id: person.id })).profile.photoName, kept);
      const { headers } = await application.get(files.url(person, "profile.photo"), { as: "anybody" });
      assert.equal(headers["content-disposition"], contentDisposition(kept, "attachment"));
    }
  });

  it("offers the name that fields.name keeps in a column with select: false, and needs it for nothing else", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const note = dataSource.manager.create(Note, {});
    await files.attach(note, "file", Buffer.from("x"), { filename: "me & you.png" });
    await dataSource.manager.save(note);
    const loaded = await dataSource.manager.findOneByOrFail(Note, { id: note.id });
    assert.equal(loaded.fileName, undefined);
    const offered = async () =>
      (await application.get(files.url(loaded, "file"), { as: "anybody" })).headers["content-disposition"];
    assert.equal(await offered(), 'attachment; filename="me & you.png"');
    await dataSource.manager.save(Object.assign(loaded, { fileName: undefined }));
    assert.equal(await offered(), 'attachment; filename="me & you.png"');
    const copy = dataSource.manager.create(Note, {});
    await files.copy(loaded, "file", copy, "file");
    assert.equal(copy.fileName, "me___you.png");
    files.detach(loaded, "file");
    await dataSource.manager.save(loaded);
    const query = dataSource.manager.createQueryBuilder(Note, "note").addSelect("note.fileName");
    assert.equal((await query.where({ id: note.id }).getOneOrFail()).fileName, null);
  });

  it("works with single table inheritance: each row has one URL, that of its own class, with the rule of that class", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const cat = dataSource.manager.create(Cat, {});
    const dog = dataSource.manager.create(Dog, {});
    for (const animal of [cat, dog]) {
      await files.attach(animal, "picture", Buffer.from("picture"), { filename: "p.png" });
      await files.attach(animal, "diary", Buffer.from("diary"), { filename: "d.txt" });
      await dataSource.manager.save(animal);
    }
    const status = async (path: string) => (await application.get(path, { as: "anybody" })).status;
    assert.equal(await status(files.url(cat, "picture")), 200);
    assert.equal(await status(`/private-files/animal/picture/${cat.id}/p.png`), 404);
    assert.equal(await status(`/private-files/dog/picture/${cat.id}/p.png`), 404);
    assert.equal(await status(files.url(cat, "diary")), 403);
    assert.equal(await status(`/private-files/dog/diary/${cat.id}/d.txt`), 404);
    assert.equal(await status(`/private-files/animal/diary/${cat.id}/d.txt`), 404);
    assert.equal(await status(files.url(dog, "diary")), 200);
  });

  it("works with an EntitySchema that has no class", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const repository = dataSource.getRepository(ScanSchema);
    const [first, second] = [repository.create(), repository.create()];
    for (const scan of [first, second]) {
      await files.attach(scan, "image", Buffer.from("bones"), { filename: "hand.png" });
      await repository.save(scan);
    }
    assert.equal(files.url(first, "image"), "/private-files/scan/image/1/hand.png");
    assert.equal((await application.get(files.url(first, "image"))).body.toString(), "bones");
    assert.equal((await application.get(files.url(second, "image"))).status, 403);
  });

  it("keeps what it has when the entity is saved again, spread into a new object or merged", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource, files } = application;
    const invoice = dataSource.manager.create(Invoice, {});
    const { key } = await files.attach(invoice, "file", Buffer.from("x"), { filename: "a.pdf" });
    await dataSource.manager.save(invoice);
    const loaded = await dataSource.manager.findOneByOrFail(Invoice, { id: invoice.id });
    await dataSource.manager.save(loaded);
    await dataSource.manager.save(dataSource.manager.merge(Invoice, dataSource.manager.create(Invoice, {}), loaded));
    await dataSource.manager.save(Invoice, { ...loaded, amount: 7 });
    const again = await dataSource.manager.findOneByOrFail(Invoice, { id: invoice.id });
    assert.deepEqual([again.file.key, again.amount], [key, 7]);
  });

  it("reads the empty text that Django keeps in place of NULL as no file", async (t) => {
    const application = await startApplication({ database, entities });
    t.after(() => application.close());
    const { dataSource } = application;
    await dataSource
      .createQueryBuilder()
      .insert()
      .into(Invoice)
      .values({ file: () => "''" })
      .execute();
    const [invoice] = await dataSource.manager.find(Invoice);
    assert.equal(invoice!.file, null);
    assert.equal((await application.get(`/private-files/invoice/file/${invoice!.id}/x`)).status, 404);
  });

  for (const forged of ["documents/of/another.pdf", { key: "documents/of/another.pdf" }, { name: "a" }, ["a"], 7, ""]) {
    it(`refuses ${JSON.stringify(forged)} in save, insert and update: a request could have made it`, async (t) => {
      const application = await startApplication({ database, entities });
      t.after(() => application.close());
      const { manager } = application.dataSource;
      const refused = { name: "PrivateFileError", code: "ERR_PRIVATE_FILE_VALUE" };
      await assert.rejects(manager.save(manager.create(Invoice, { file: forged } as never)), refused);
      await assert.rejects(async () => manager.insert(Invoice, { file: forged } as never), refused);
      await assert.rejects(async () => manager.update(Invoice, { id: 1 }, { file: forged } as never), refused);
      assert.equal(await manager.count(Invoice), 0);
    });
  }
});

describe("a wrong declaration", () => {
  const declare = (options: object) => () => {
    class Wrong {}
    PrivateFileColumn(options)(Wrong.prototype, "file");
  };
  const cases: [string, object, RegExp][] = [
    [
      "an absolute uploadTo",
      { uploadTo: "/var/uploads" },
      /^Wrong\.file: "uploadTo" must be a folder inside a storage, got "\/var\/uploads"\. Give a relative one/,
    ],
    [
      "a condition that is undefined, as after a cycle of imports",
      { condition: undefined },
      /^Wrong\.file: "condition" must be a function, got undefined\. .*circular import/,
    ],
    [
      "a condition that is no function",
      { condition: true },
      /^Wrong\.file: "condition" must be a function, got true\. Give one such as/,
    ],
    [
      "a misspelt option",
      { conditon: () => true },
      /^Wrong\.file: unknown option "conditon"\. Use one of uploadTo, condition/,
    ],
    [
      "an attachment that is no boolean",
      { attachment: "inline" },
      /"attachment" must be true or false, got "inline"\. Give a boolean/,
    ],
    ["a transformer of its own", { transformer: {} }, /unknown option "transformer"/],
    ["insert", { insert: false }, /^Wrong\.file: unknown option "insert"\. Use one of uploadTo, condition/],
    ["update", { update: false }, /^Wrong\.file: unknown option "update"\. Use one of uploadTo, condition/],
  ];
  for (const [what, options, message] of cases) {
    it(`with ${what} throws when the class is defined, and says what to do`, () => {
      assert.throws(declare(options), (error: ConfigurationError) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.code, "ERR_PRIVATE_FILE_CONFIGURATION");
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("twice on one property throws when the class is defined", () => {
    class Twice {}
    PrivateFileColumn()(Twice.prototype, "file");
    assert.throws(
      () => PrivateFileColumn()(Twice.prototype, "file"),
      /^ConfigurationError: Twice\.file: @PrivateFileColumn is there twice\. Remove one\.$/,
    );
  });

  const decorator = PrivateFileColumn() as (...place: unknown[]) => void;
  class Misplaced {
    static scan: PrivateFile;
    title() {}
  }
  const misplacements: [string, unknown[], string][] = [
    [
      "a static property",
      [Misplaced, "scan", undefined],
      "Misplaced.scan: @PrivateFileColumn is on a static property.",
    ],
    [
      "a method",
      [Misplaced.prototype, "title", Object.getOwnPropertyDescriptor(Misplaced.prototype, "title")],
      "Misplaced.title: @PrivateFileColumn is on a method.",
    ],
    ["a parameter", [Misplaced, undefined, 0], "Misplaced: @PrivateFileColumn is on a class or a parameter."],
    ["a class", [Misplaced], "Misplaced: @PrivateFileColumn is on a class or a parameter."],
  ];
  for (const [what, place, message] of misplacements) {
    it(`on ${what} throws when the class is defined`, () => {
      assert.throws(() => decorator(...place), {
        name: "ConfigurationError",
        message: `${message} Put it on a property of the class that has the type PrivateFile.`,
      });
    });
  }

  it("with standard decorators throws when the class is defined, and names the compiler's option", () => {
    for (const kind of ["field", "accessor"]) {
      assert.throws(() => decorator(undefined, { kind, name: "file" }), {
        name: "ConfigurationError",
        message:
          /^file: @PrivateFileColumn was called as a standard decorator\. Set "experimentalDecorators": true in tsconfig/,
      });
    }
  });

  it("may be made anew by a child, whose rule then holds", () => {
    class Parent {}
    class Child extends Parent {}
    PrivateFileColumn()(Parent.prototype, "file");
    assert.doesNotThrow(() => PrivateFileColumn()(Child.prototype, "file"));
  });

  it("without any storage throws when the routes are made", async (t) => {
    const { dataSource, close } = await sqljs.open({ entities });
    t.after(close);
    assert.throws(
      () => new PrivateFiles(dataSource),
      /^ConfigurationError: \w+\.\w+: there is no storage for it\. Give/,
    );
  });

  it("on a data source that is not initialized throws when the routes are made, not before", () => {
    const files = new PrivateFiles(new DataSource({ type: "sqljs", entities }), { storage: noStorage });
    assert.throws(() => files.routes(), /the data source is not initialized\. Call "await dataSource\.initialize\(\)"/);
  });

  it("whose fields name no column throws when the routes are made", async (t) => {
    @Entity()
    class Wrong {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn<Wrong>({ fields: { name: "title" } }) file!: PrivateFile;
      title!: string;
    }
    const { dataSource, close } = await sqljs.open({ entities: [Wrong] });
    t.after(close);

    assert.throws(
      () => new PrivateFiles(dataSource, { storage: noStorage }),
      /Wrong\.file: "fields" names "title", which is not a column/,
    );
  });

  it("beside another decorator that makes a column throws when the routes are made, in either order, inherited as well", async (t) => {
    @Entity()
    class Below {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn()
      @Column({ type: String })
      file!: PrivateFile;
    }
    @Entity()
    class Above {
      @PrimaryGeneratedColumn() id!: number;
      @Column({ type: String })
      @PrivateFileColumn()
      file!: PrivateFile;
    }
    @Entity()
    class Inherited extends Above {}
    for (const wrong of [Below, Above, Inherited]) {
      const { dataSource, close } = await sqljs.open({ entities: [wrong] });
      t.after(close);
      assert.throws(() => new PrivateFiles(dataSource, { storage: noStorage }), {
        name: "ConfigurationError",
        message: `${wrong.name}.file: @PrivateFileColumn and another decorator make a column of it. Remove the other one.`,
      });
    }
  });

  it("whose fields name what something else fills throws when the routes are made", async (t) => {
    const declared = (name: string) => {
      @Entity("letter")
      class Wrong {
        @PrimaryGeneratedColumn() id!: number;
        @ManyToOne("Wrong", { nullable: true }) answered!: object | null;
        @CreateDateColumn() sentAt!: Date;
        @PrivateFileColumn({ nullable: true }) other!: PrivateFile | null;
        @PrivateFileColumn({ fields: { name } as object }) file!: PrivateFile;
      }
      return Wrong;
    };
    const kinds: [string, string][] = [
      ["id", "a primary key"],
      ["answered", "a relation"],
      ["sentAt", "a column that TypeORM or the database fills"],
      ["other", "a private file"],
      ["file", "a private file"],
    ];
    for (const [name, kind] of kinds) {
      const { dataSource, close } = await sqljs.open({ entities: [declared(name)] });
      t.after(close);
      assert.throws(() => new PrivateFiles(dataSource, { storage: noStorage }), {
        name: "ConfigurationError",
        message: `Wrong.file: "fields.name" must be a column that nothing else fills, got "${name}", which is ${kind}. Declare one with @Column.`,
      });
    }
  });

  it("of an EntitySchema is named in the message when a text is saved", async (t) => {
    const Note = new EntitySchema<{ id: number; scan: unknown }>({
      name: "Note",
      columns: { id: { type: Number, primary: true, generated: true }, scan: privateFileColumn() },
    });
    const { dataSource, close } = await sqljs.open({ entities: [Note] });
    t.after(close);
    new PrivateFiles(dataSource, { storage: noStorage });

    await assert.rejects(
      dataSource.manager.save(Note, { scan: "a.txt" }),
      /Note\.scan: expected a PrivateFile, got a string/,
    );
  });

  it("that gives two columns one URL throws when the routes are made", async (t) => {
    @Entity()
    class Twin {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn({ name: "one" }) fileA!: PrivateFile;
      @PrivateFileColumn({ name: "two" }) "file-a"!: PrivateFile;
    }
    const { dataSource, close } = await sqljs.open({ entities: [Twin] });
    t.after(close);

    assert.throws(
      () => new PrivateFiles(dataSource, { storage: noStorage }),
      /its URL would be "twin\/file-a", which is that of/,
    );
  });
});
