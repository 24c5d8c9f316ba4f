import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  EntitySchema,
  type EntityTarget,
  type ObjectLiteral,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
} from "typeorm";
import {
  type MissingItem,
  type OrphanItem,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  privateFileColumn,
} from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, beforeEach, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture, sweepAll } from "../support/sweep-fixture.js";

class Cover {
  @PrivateFileColumn({ uploadTo: "covers/%Y", nullable: true }) image!: PrivateFile | null;
}

@Entity()
class Book {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column(() => Cover) cover!: Cover;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
class Sheet {
  @PrimaryColumn({ type: "bigint" }) volume!: string;
  @PrimaryColumn({ length: 40 }) name!: string;
  @PrivateFileColumn({ uploadTo: "sheets", nullable: true, select: false }) scan!: PrivateFile | null;
}

@Entity()
class Row {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: (_, filename) => `rows/${filename}` }) file!: PrivateFile;
}

const elsewhere = new MemoryStorage();

@Entity()
@TableInheritance({ column: { type: "varchar", name: "kind" } })
class Medium {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "media", nullable: true }) file!: PrivateFile | null;
}

@ChildEntity()
class Film extends Medium {
  @PrivateFileColumn({ uploadTo: "posters", nullable: true }) poster!: PrivateFile | null;
}

@ChildEntity()
class Song extends Medium {
  @PrivateFileColumn({ uploadTo: "songs", nullable: true, storage: elsewhere }) declare file: PrivateFile | null;
}

const Letter = new EntitySchema<{ id: number; scan: PrivateFile }>({
  name: "Letter",
  columns: {
    id: { type: Number, primary: true, generated: true },
    scan: privateFileColumn({ uploadTo: "letters" }),
  },
});

const entities = [Book, Sheet, Row, Medium, Film, Song, Letter];

describeOnEachDatabase("PrivateFiles.sweep", (database) => {
  let fixture: SweepFixture;
  let files: PrivateFiles;

  beforeEach(async () => {
    fixture = await openSweepFixture({ entities }, database);
    files = fixture.files;
    elsewhere.objects.clear();
  });
  afterEach(() => fixture.close());

  const put = (key: string, hours?: number) => putOld(fixture.storage, key, hours);
  const save = (entity: string | (new () => object), values: ObjectLiteral) =>
    fixture.dataSource.getRepository(entity).save(values);
  const fileOf = (entity: EntityTarget<ObjectLiteral>, property: string, key?: string) =>
    adoptedFile(fixture.dataSource, entity, property, key!);

  it("finds what no row names and removes nothing, unless it is told to", async () => {
    const orphan = await put(keyIn("letters"));
    const named = await put(keyIn("letters"));
    await save("Letter", { scan: fileOf("Letter", "scan", named) });
    const { report, items } = await sweepAll(files);
    assert.deepEqual(
      items.map((item) => ({ ...item, modifiedAt: 0 })),
      [{ kind: "orphan", key: orphan, size: 5, modifiedAt: 0, columns: ["Row.file", "Letter.scan"], removed: false }],
    );
    const counts = { listed: 2, named: 1, young: 0, foreign: 0, orphans: 1, bytes: 5, failed: 0, missing: 0 };
    assert.deepEqual(report, { ...counts, removed: 0, invalid: 0, incomplete: 0 });
    assert.deepEqual(await keysOf(fixture.storage), [orphan, named].sort());

    const removal = await sweepAll(files, { dryRun: false });
    assert.deepEqual(removal.report, { ...counts, removed: 1, invalid: 0, incomplete: 0 });
    assert.equal((removal.items[0] as OrphanItem).removed, true);
    assert.deepEqual(await keysOf(fixture.storage), [named]);
    assert.equal((await files.sweep({ dryRun: false })).orphans, 0);
  });

  it("keeps what any column names: embedded, inherited, hidden, of a schema, of a row that is softly deleted", async () => {
    const [cover, deleted, scan, medium, film, poster, letter, row] = await Promise.all(
      ["covers/2026", "covers/2026", "sheets", "media", "media", "posters", "letters", "rows"].map((folder) =>
        put(keyIn(folder)),
      ),
    );
    await save(Book, { cover: { image: fileOf(Book, "cover.image", cover) } });
    const book = (await save(Book, { cover: { image: fileOf(Book, "cover.image", deleted) } })) as Book;
    await fixture.dataSource.getRepository(Book).softRemove(book);
    await save(Sheet, { volume: "9007199254740993", name: "I", scan: fileOf(Sheet, "scan", scan) });
    await save(Medium, { file: fileOf(Medium, "file", medium) });
    await save(Film, { file: fileOf(Film, "file", film), poster: fileOf(Film, "poster", poster) });
    await save("Letter", { scan: fileOf("Letter", "scan", letter) });
    await save(Row, { file: fileOf(Row, "file", row) });
    const before = await keysOf(fixture.storage);
    const { report, items } = await sweepAll(files, { dryRun: false, olderThan: 0, force: true });
    assert.deepEqual(items, []);
    assert.equal(report.named, 8);
    assert.deepEqual(await keysOf(fixture.storage), before);
  });

  it("keeps the file of a row that came, and was softly deleted, since the keys were read", async () => {
    const { storage, dataSource } = fixture;
    const key = await put(keyIn("covers"));
    const list = storage.list.bind(storage);
    storage.list = async function* (prefix) {
      yield* list(prefix);
      const book = (await save(Book, { cover: { image: fileOf(Book, "cover.image", key) } })) as Book;
      await dataSource.getRepository(Book).softRemove(book);
    };
    const { report } = await sweepAll(files, { dryRun: false, force: true });
    assert.deepEqual([report.named, report.orphans, await keysOf(storage)], [1, 0, [key]]);
  });

  it("tells of the lost file of a row that is softly deleted", async () => {
    const book = (await save(Book, { cover: { image: fileOf(Book, "cover.image", "covers/gone") } })) as Book;
    const { id } = book;
    await fixture.dataSource.getRepository(Book).softRemove(book);
    const { items } = await sweepAll(files);
    assert.deepEqual(items, [{ kind: "missing", key: "covers/gone", column: "Book.cover.image", id: { id } }]);
  });

  it("keeps what is younger than the grace period, a day unless another is given", async () => {
    const young = await put(keyIn("letters"), 23);
    await put(keyIn("letters"), 25);
    const { report } = await sweepAll(files, { dryRun: false, force: true });
    assert.deepEqual([report.young, report.removed], [1, 1]);
    assert.deepEqual(await keysOf(fixture.storage), [young]);
    assert.equal((await files.sweep({ olderThan: 24 * 3600 })).young, 1);
    assert.equal((await files.sweep({ olderThan: 22 * 3600 })).orphans, 1);
  });

  it("keeps an object that was written anew since it was listed", async () => {
    const key = await put("rows/report.pdf");
    const { storage } = fixture;
    const list = storage.list.bind(storage);
    let listings = 0;
    storage.list = async function* (prefix) {
      yield* list(prefix);
      if (++listings === 2) await utimes(storage.path(key), new Date(), new Date());
    };
    const report = await files.sweep({ dryRun: false, force: true, prefixes: ["rows/"] });
    assert.deepEqual([report.young, report.orphans], [1, 0]);
    assert.deepEqual(await keysOf(storage), [key]);
  });

  it("leaves what is not this package's, until a prefix says that it is", async () => {
    const foreign = [
      await put("logo.png"),
      await put("rows/report.pdf"),
      await put("rows-old/report.pdf"),
      await put(`${"0".repeat(30)}/a.txt`),
      await put(`${keyIn("letters", "")}deeper/a.txt`),
    ];
    const { report, items } = await sweepAll(files, { dryRun: false, force: true, olderThan: 0 });
    assert.deepEqual([report.foreign, items.length], [5, 0]);
    assert.deepEqual(await keysOf(fixture.storage), foreign.toSorted());
    const named = await put("rows/named.pdf");
    await save(Row, { file: fileOf(Row, "file", named) });
    const removal = await sweepAll(files, { dryRun: false, prefixes: ["rows/", "logo"] });
    assert.deepEqual([removal.report.foreign, removal.report.removed], [3, 2]);
    assert.deepEqual(await keysOf(fixture.storage), [...foreign.slice(2), named].sort());
  });

  it("removes what attach made under any folder, also one that uploadTo no longer names", async () => {
    await put(keyIn(""));
    await put(keyIn("an/older/folder"));
    const { report, items } = await sweepAll(files, { dryRun: false, force: true });
    assert.equal(report.removed, 2);
    assert.deepEqual(await keysOf(fixture.storage), []);
    assert.deepEqual(
      items.map((item) => (item as OrphanItem).columns),
      [["Row.file"], ["Row.file"]],
    );
  });

  it("removes an upload that was never saved, once it is old, and none that was", async () => {
    const letter = { id: 0, scan: null } as unknown as { id: number; scan: PrivateFile };
    await files.attach(letter, "scan", Buffer.from("x"), { filename: "x.txt" });
    const kept = { scan: letter.scan };
    await save("Letter", { scan: kept.scan });
    const lost = {} as typeof letter;
    await files.attach(lost, "scan", Buffer.from("y"), { filename: "y.txt" });
    assert.deepEqual([(await files.sweep()).young, (await files.sweep()).named], [1, 1]);
    const time = new Date(Date.now() - 48 * 3_600_000);
    for (const { key } of [kept.scan, lost.scan]) await utimes(fixture.storage.path(key), time, time);
    assert.equal((await files.sweep({ dryRun: false })).removed, 1);
    assert.deepEqual(await keysOf(fixture.storage), [kept.scan.key]);
  });

  it("tells of every row whose file is gone: with its column, its primary key and its key", async () => {
    const there = await put(keyIn("letters"));
    await save("Letter", { scan: fileOf("Letter", "scan", there) });
    const letter = await save("Letter", { scan: fileOf("Letter", "scan", "letters/gone.txt") });
    const book = await save(Book, { cover: { image: fileOf(Book, "cover.image", "covers/gone.png") } });
    await save(Book, { cover: { image: null } });
    for (const volume of ["9007199254740993", "9007199254740994"]) {
      await save(Sheet, { volume, name: "é", scan: fileOf(Sheet, "scan", `sheets/${volume}`) });
    }
    const row = (await save(Row, { file: fileOf(Row, "file", "../../etc/passwd") })) as Row;
    const { report, items } = await sweepAll(files, { dryRun: false });
    const missing = (items as MissingItem[]).toSorted((one, other) => (one.key < other.key ? -1 : 1));
    const sheet = (volume: string) => ({ key: `sheets/${volume}`, column: "Sheet.scan", id: { volume, name: "é" } });
    assert.deepEqual(missing, [
      { kind: "invalid", key: "../../etc/passwd", column: "Row.file", id: { id: row.id } },
      { kind: "missing", key: "covers/gone.png", column: "Book.cover.image", id: { id: book.id } },
      { kind: "missing", key: "letters/gone.txt", column: "Letter.scan", id: { id: letter.id } },
      { kind: "missing", ...sheet("9007199254740993") },
      { kind: "missing", ...sheet("9007199254740994") },
    ]);
    assert.deepEqual([report.missing, report.invalid], [4, 1]);
    assert.equal(await fixture.dataSource.getRepository(Sheet).countBy(missing[3]!.id as { name: string }), 1);
  });

  it("tells of no row that was removed, or got another file, while its file was looked for", async () => {
    const { storage, dataSource } = fixture;
    const scans = ["removed", "replaced", "gone"].map((name) => fileOf("Letter", "scan", keyIn("letters", name)));
    const rows: ObjectLiteral[] = [];
    for (const scan of scans) rows.push(await save("Letter", { scan }));
    const letters = dataSource.getRepository("Letter");
    const next = await put(keyIn("letters"));
    const stat = storage.stat.bind(storage);
    let changes = false;
    storage.stat = async (key) => {
      if (!changes && key.endsWith("removed")) {
        changes = true;
        await letters.delete({ id: rows[0]!.id });
        await letters.update({ id: rows[1]!.id }, { scan: fileOf("Letter", "scan", next) });
      }
      return stat(key);
    };
    const { items } = await sweepAll(files);
    assert.deepEqual(
      items.filter(({ kind }) => kind === "missing").map(({ key }) => key),
      [scans[2]!.key],
    );
  });

  it("has nothing to say of an empty text, which Django keeps where there is no file", async () => {
    await fixture.dataSource.createQueryBuilder().insert().into(Sheet).values({ volume: "1", name: "x" }).execute();
    await fixture.dataSource
      .createQueryBuilder()
      .update(Sheet)
      .set({ scan: () => "''" })
      .execute();
    const { report, items } = await sweepAll(files);
    assert.deepEqual([report.missing, items], [0, []]);
  });

  it("tells of a row of a child class once, by its own class, and looks in the storage of that class", async () => {
    const here = await put(keyIn("media"));
    const film = await save(Film, { file: fileOf(Film, "file", "media/gone"), poster: fileOf(Film, "poster", here) });
    const medium = await save(Medium, { file: fileOf(Medium, "file", "media/lost") });
    const song = await save(Song, { file: fileOf(Song, "file", "songs/gone") });
    elsewhere.objects.set("songs/there", { bytes: Buffer.from("la"), modifiedAt: new Date(0) });
    await save(Song, { file: fileOf(Song, "file", "songs/there") });
    const { items, report } = await sweepAll(files, { prefixes: ["songs/"] });
    const missing = (items as MissingItem[]).map(({ column, key, id }) => ({ column, key, id }));
    assert.deepEqual(
      missing.toSorted((one, other) => (one.key < other.key ? -1 : 1)),
      [
        { column: "Film.file", key: "media/gone", id: { id: film.id } },
        { column: "Medium.file", key: "media/lost", id: { id: medium.id } },
        { column: "Song.file", key: "songs/gone", id: { id: song.id } },
      ],
    );
    assert.equal(report.orphans, 0);
  });

  it("reads tables of more rows than a page in full, by any primary key", async (t) => {
    const { dataSource, close } = await openSweepFixture({ entities: [Book, Sheet] }, database);
    t.after(close);
    const count = 4500;
    const volumes = ["-3", "7", "9007199254740993"];
    const rows = Array.from({ length: count }, (_, index) => ({
      volume: volumes[index % 3],
      name: randomBytes(12).toString("base64url"),
      scan: adoptedFile(dataSource, Sheet, "scan", keyIn("sheets", `${index}.txt`)),
    }));
    const keys = rows.map(({ scan }) => scan.key);
    await dataSource.getRepository(Sheet).save(rows, { chunk: 300, reload: false, listeners: false });
    const empty = new PrivateFiles(dataSource, { storage: new MemoryStorage() });
    const { report, items } = await sweepAll(empty);
    assert.equal(report.missing, count);
    const found = items as MissingItem[];
    assert.deepEqual(found.map(({ key }) => key).sort(), keys.toSorted());
    assert.equal(new Set(found.map(({ id }) => `${id.volume} ${id.name}`)).size, count);
    await dataSource.getRepository(Sheet).clear();
    const books = keys.map((key) => ({ cover: { image: adoptedFile(dataSource, Book, "cover.image", key) } }));
    await dataSource.getRepository(Book).save(books, { chunk: 300, reload: false, listeners: false });
    const again = await sweepAll(empty);
    assert.equal(new Set((again.items as MissingItem[]).map(({ id }) => id.id)).size, count);
  });

  it("refuses to remove all that a database knows nothing of, before anything is removed, unless it is forced", async () => {
    const keys = [await put(keyIn("letters")), await put(keyIn("media"))].sort();
    await save("Letter", { scan: fileOf("Letter", "scan", keyIn("letters")) });
    const song = keyIn("songs");
    elsewhere.objects.set(song, { bytes: Buffer.from("la"), modifiedAt: new Date(0) });
    elsewhere.objects.set("songs/there", { bytes: Buffer.from("la"), modifiedAt: new Date(0) });
    await save(Song, { file: fileOf(Song, "file", "songs/there") });
    await assert.rejects(files.sweep({ dryRun: false }), {
      name: "ConfigurationError",
      message:
        /^PrivateFiles\.sweep: no row of .*Letter\.scan names any object of the storage, which has 2 to remove\. Look/,
    });
    assert.deepEqual([await keysOf(fixture.storage), elsewhere.objects.has(song)], [keys, true]);
    assert.equal((await files.sweep()).orphans, 3);
    assert.equal((await files.sweep({ dryRun: false, force: true })).removed, 3);
    assert.equal((await files.sweep({ dryRun: false })).removed, 0);
  });

  it("removes what interrupted uploads have left, and no upload that is under way, however short the grace period", async () => {
    await put(keyIn("letters"));
    const folder = join(fixture.storage.root, ".incomplete");
    const [abandoned, active] = [join(folder, "abandoned"), join(folder, "active")];
    for (const path of [abandoned, active]) await writeFile(path, "bytes");
    const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
    await utimes(abandoned, hours(2), hours(2));
    await utimes(active, hours(0.5), hours(0.5));
    assert.equal((await files.sweep({ olderThan: 0 })).incomplete, 0);
    assert.equal((await files.sweep({ dryRun: false, force: true })).incomplete, 0);
    assert.equal((await files.sweep({ dryRun: false, olderThan: 0 })).incomplete, 1);
    assert.deepEqual([existsSync(abandoned), existsSync(active)], [false, true]);
  });
});
