import assert from "node:assert/strict";
import {
  ChildEntity,
  Column,
  Entity,
  type EntityManager,
  EntitySchema,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
} from "typeorm";
import { PrivateFile, PrivateFileColumn, privateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, describe, it } from "../support/suite.js";
import { needsTypeOrm } from "../support/typeorm.js";

@Entity()
class Parcel {
  @PrimaryColumn() country!: string;
  @PrimaryColumn() number!: number;
  @PrivateFileColumn({ nullable: true }) label!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, name: "proof_of_delivery" }) proof!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, select: false }) secret?: PrivateFile | null;
}

class Profile {
  @PrivateFileColumn({ nullable: true }) photo!: PrivateFile | null;
  @Column({ default: "" }) motto!: string;
}

@Entity()
class Person {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column(() => Profile) home!: Profile;
  @Column(() => Profile) work!: Profile;
}

@Entity()
@TableInheritance({ column: { type: String, name: "kind" } })
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

@ChildEntity()
class Contract extends Paper {
  @PrivateFileColumn({ nullable: true }) annex!: PrivateFile | null;
}

@ChildEntity()
class Deed extends Contract {
  @PrivateFileColumn({ nullable: true }) seal!: PrivateFile | null;
}

/** Keeps a file in its children alone; a pile that lets go of one deletes it. */
@Entity()
@TableInheritance({ column: { type: String, name: "kind" } })
class Sheet {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(
    () => Pile,
    (pile) => pile.sheets,
    { orphanedRowAction: "delete" },
  )
  pile!: Relation<Pile> | null;
}

@ChildEntity()
class Photo extends Sheet {
  @PrivateFileColumn({ nullable: true }) image!: PrivateFile | null;
}

@ChildEntity()
class SeaMap extends Sheet {
  @PrivateFileColumn({ nullable: true }) chart!: PrivateFile | null;
}

@Entity()
class Pile {
  @PrimaryGeneratedColumn() id!: number;
  @OneToMany(
    () => Sheet,
    (sheet) => sheet.pile,
    { cascade: true },
  )
  sheets!: Relation<Sheet>[];
}

interface Stamp {
  id: number;
  image: PrivateFile | null;
}

const StampSchema = new EntitySchema<Stamp>({
  name: "Stamp",
  columns: {
    id: { type: Number, primary: true, generated: true },
    image: privateFileColumn<Stamp>({ nullable: true }),
  },
});

describeOnEachDatabase("The files of an entity", (database) => {
  const archive = archiveOfSuite(
    database,
    {
      entities: [Parcel, Person, Paper, Contract, Deed, Pile, Sheet, Photo, SeaMap, StampSchema],
    },
    [Parcel, Person, Paper, Sheet, Pile, StampSchema],
  );
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });

  const file = (content: string) => Buffer.from(content);

  async function assertKeys(...files: (PrivateFile | null | undefined)[]): Promise<void> {
    assert.deepEqual(await archive.keys(), files.map((one) => one!.key).sort());
  }

  describe("with several columns", () => {
    async function parcel(): Promise<Parcel> {
      const one = manager.create(Parcel, { country: "NL", number: 7 });
      await archive.files.attach(one, "label", file("label"));
      await archive.files.attach(one, "proof", file("proof"));
      const secret = await archive.files.attach(one, "secret", file("secret"));
      // TypeORM 1.0 takes columns that are not selected out of the entity that it saved.
      return Object.assign(await manager.save(one), { secret });
    }

    it("go one by one as they are replaced, and together with the row", async () => {
      const one = await parcel();
      const { secret } = one;
      await archive.files.attach(one, "proof", file("another"));
      await manager.save(one);
      await assertKeys(one.label, one.proof, secret);
      await manager.remove(one);
      await assertKeys();
    });

    it("do not change places between their columns", async () => {
      const one = await parcel();
      const { label, proof, secret } = one;
      [one.label, one.proof] = [proof, label];
      await assert.rejects(manager.save(one), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      [one.label, one.proof] = [proof, null];
      await assert.rejects(manager.save(one), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      await assertKeys(label, proof, secret);
    });

    it("are refused to a row of another entity", async () => {
      const { label, proof, secret } = await parcel();
      await assert.rejects(manager.save(StampSchema, { image: label }), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      await assertKeys(label, proof, secret);
    });

    it("go with the row also where a column is not selected", async () => {
      await parcel();
      const loaded = await manager.findOneByOrFail(Parcel, { country: "NL", number: 7 });
      assert.equal(loaded.secret, undefined);
      await manager.remove(loaded);
      await assertKeys();
    });

    it("stay when a row that was loaded without them is saved", async () => {
      const { label, proof, secret } = await parcel();
      const loaded = await manager.findOneByOrFail(Parcel, { country: "NL", number: 7 });
      await archive.files.attach(loaded, "label", file("another"));
      await manager.save(loaded);
      await assertKeys(loaded.label, proof, secret);
      assert.notEqual(loaded.label!.key, label!.key);
      await manager.save(Parcel, { country: "NL", number: 7, label: null });
      await assertKeys(proof, secret);
    });

    it("are replaced where a column is not selected", async () => {
      const { label, proof } = await parcel();
      const loaded = await manager.findOneByOrFail(Parcel, { country: "NL", number: 7 });
      const another = await archive.files.attach(loaded, "secret", file("another"));
      await manager.save(loaded);
      await assertKeys(label, proof, another);
    });
  });

  describe("in embedded entities", () => {
    async function person(): Promise<Person> {
      const one = manager.create(Person, { home: {}, work: {} });
      await archive.files.attach(one, "home.photo", file("home"));
      await archive.files.attach(one, "work.photo", file("work"));
      return manager.save(one);
    }

    it("go as they are replaced or detached, and with the row", async () => {
      const one = await person();
      await archive.files.attach(one, "home.photo", file("another"));
      await manager.save(one);
      await assertKeys(one.home.photo, one.work.photo);
      archive.files.detach(one, "work.photo");
      await manager.save(one);
      await assertKeys(one.home.photo);
      await manager.remove(one);
      await assertKeys();
    });

    it("stay when the embedded entity is not there to be saved", async () => {
      const { id, home, work } = await person();
      await manager.save(Person, { id, work: { motto: "Files!" } });
      await assertKeys(home.photo, work.photo);
    });
  });

  describe("with single table inheritance", () => {
    async function deed(): Promise<Deed> {
      const one = new Deed();
      await archive.files.attach(one, "scan", file("scan"));
      await archive.files.attach(one, "annex", file("annex"));
      await archive.files.attach(one, "seal", file("seal"));
      return manager.save(one);
    }

    it("go with a row that is removed as what it is, each once", async (t) => {
      const one = await deed();
      const removing = t.mock.method(archive.storage, "delete");
      await manager.remove(one);
      await assertKeys();
      assert.equal(removing.mock.callCount(), 3);
    });

    it("go with a row that was loaded and is removed through the parent's repository", async () => {
      await deed();
      const papers = manager.getRepository(Paper);
      await papers.remove(await papers.find());
      assert.equal(await papers.count(), 0);
      await assertKeys();
    });

    it("go with a row that the parent's repository removes by its primary key alone, each once", async (t) => {
      const { id } = await deed();
      const removing = t.mock.method(archive.storage, "delete");
      await manager.getRepository(Paper).remove(manager.create(Paper, { id }));
      assert.equal(await manager.count(Paper), 0);
      await assertKeys();
      assert.equal(removing.mock.callCount(), 3);
    });

    it("are replaced through the parent's repository", async () => {
      const { seal } = await deed();
      const papers = manager.getRepository(Paper);
      const [loaded] = (await papers.find()) as [Deed];
      await archive.files.attach(loaded, "scan", file("another"));
      await archive.files.attach(loaded, "annex", file("another"));
      await papers.save(loaded);
      await assertKeys(loaded.scan, loaded.annex, seal);
      const [again] = (await papers.find()) as [Deed];
      assert.deepEqual([again.scan!.key, again.annex!.key], [loaded.scan!.key, loaded.annex!.key]);
    });

    it("go with the orphans of a relation to a parent that has no file itself", {
      skip: needsTypeOrm("1.0.0"),
    }, async () => {
      const [photo, map, kept] = [new Photo(), new SeaMap(), new SeaMap()];
      await archive.files.attach(photo, "image", file("image"));
      await archive.files.attach(map, "chart", file("chart"));
      await archive.files.attach(kept, "chart", file("kept"));
      const pile = await manager.save(manager.create(Pile, { sheets: [photo, map, kept] }));
      pile.sheets = pile.sheets.slice(2);
      await manager.save(pile);
      assert.equal(await manager.count(Sheet), 1);
      await assertKeys(kept.chart);
      await manager.remove(await manager.findOneOrFail(Pile, { where: { id: pile.id }, relations: { sheets: true } }));
      await assertKeys();
    });

    it("are refused to a row of another class of the table", async () => {
      const { scan, annex, seal } = await deed();
      await assert.rejects(manager.save(manager.create(Paper, { scan: seal })), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
      await assertKeys(scan, annex, seal);
    });
  });

  describe("that is an EntitySchema without a class", () => {
    it("follow its rows", async () => {
      const stamps = manager.getRepository(StampSchema);
      const stamp = stamps.create();
      await archive.files.attach(stamp, "image", file("first"));
      await stamps.save(stamp);
      await archive.files.attach(stamp, "image", file("second"));
      await stamps.save(stamp);
      await assertKeys(stamp.image);
      await stamps.remove(await stamps.find());
      await assertKeys();
    });
  });
});
