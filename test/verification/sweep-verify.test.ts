import assert from "node:assert/strict";
import { unlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type AlteredItem,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  StorageError,
  type SweepItem,
  type SweepProgress,
  type UnreadableItem,
} from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, sweepAll } from "../support/sweep-fixture.js";
import {
  type Archive,
  Contract,
  digestOf,
  elsewhere,
  Film,
  Letter,
  Medium,
  Memo,
  openArchive,
  Person,
  Plain,
  Sketch,
  Song,
} from "./archive.js";

const subjectsOf = (items: SweepItem[]) =>
  items.map((item) => `${item.kind} ${(item as AlteredItem).column}`).toSorted();

describeOnEachDatabase("a sweep with verify", (database) => {
  let archive: Archive;
  beforeEach(async () => {
    archive = await openArchive(database);
  });
  afterEach(() => archive.close());

  const verify = () => sweepAll(archive.files, { verify: true });

  it("tells of an object that has other bytes than the row says, with both digests", async () => {
    await archive.add(Letter, { scan: "right" });
    const { id, scan } = await archive.add(Letter, { scan: "right" });
    await archive.harm(scan, "wrong");
    const { report, items } = await verify();
    assert.deepEqual(items, [
      {
        ...{ kind: "altered", key: scan!.key, column: "Letter.scan", id: { id } },
        expected: { size: 5, sha256: digestOf("right") },
        found: { size: 5, sha256: digestOf("wrong") },
      },
    ]);
    assert.deepEqual(report.verification, { verified: 1, unverified: 0, altered: 1, unreadable: 0 });
  });

  it("tells of an object of another size than the row says, without reading it", async () => {
    const { id, scan } = await archive.add(Letter, { scan: "right" });
    await archive.harm(scan, "too long");
    archive.storage.read = () => assert.fail("it was read");
    const { report, items } = await verify();
    assert.deepEqual(items, [
      {
        ...{ kind: "altered", key: scan!.key, column: "Letter.scan", id: { id } },
        expected: { size: 5, sha256: digestOf("right") },
        found: { size: 8 },
      },
    ]);
    assert.equal(report.verification!.altered, 1);
  });

  it("reads no object and counts nothing of it where it was not asked to", async () => {
    const { scan } = await archive.add(Letter, { scan: "right" });
    await archive.harm(scan, "wrong");
    archive.storage.read = () => assert.fail("it was read");
    for (const options of [{}, { verify: false }]) {
      const { report, items } = await sweepAll(archive.files, options);
      assert.deepEqual([report.verification, items], [undefined, []]);
    }
  });

  it("verifies files in embedded entities, of child classes, in two columns, in several storages, of softly deleted rows", async () => {
    const files = [
      (await archive.add(Letter, { scan: "letter" })).scan,
      ...Object.values(await archive.add(Contract, { draft: "draft", final: "final" })),
      (await archive.add(Person, { "portrait.image": "portrait" })).portrait.image,
      (await archive.add(Medium, { file: "medium" })).file,
      ...Object.values(await archive.add(Film, { file: "film", poster: "poster" })),
      (await archive.add(Song, { file: "song" })).file,
    ].filter((value) => value instanceof PrivateFile);
    const deleted = await archive.add(Letter, { scan: "deleted" });
    await archive.dataSource.manager.softRemove(deleted);
    const before = await verify();
    assert.deepEqual(before.report.verification, { verified: 9, unverified: 0, altered: 0, unreadable: 0 });
    assert.deepEqual(before.items, []);
    for (const file of [...files, deleted.scan]) await archive.harm(file, "x");
    const { report, items } = await verify();
    assert.deepEqual(report.verification, { verified: 0, unverified: 0, altered: 9, unreadable: 0 });
    assert.deepEqual(
      subjectsOf(items),
      [
        ...["Contract.draft", "Contract.final", "Film.file", "Film.poster", "Letter.scan", "Letter.scan"],
        ...["Medium.file", "Person.portrait.image", "Song.file"],
      ].map((column) => `altered ${column}`),
    );
    const song = (items as AlteredItem[]).find(({ column }) => column === "Song.file")!;
    assert.deepEqual([song.expected, song.found.sha256], [{ sha256: digestOf("song") }, digestOf("x")]);
  });

  it("takes a digest in upper case, or with spaces around it, for the same digest", async () => {
    const letter = await archive.add(Letter, { scan: "right" });
    const person = await archive.add(Person, { "portrait.image": "right" });
    const { manager } = archive.dataSource;
    await manager.update(Letter, letter.id, { digest: digestOf("right").toUpperCase() });
    await manager.update(Person, person.id, { portrait: { digest: ` ${digestOf("right")}  ` } });
    const { report, items } = await verify();
    assert.deepEqual([report.verification?.verified, items], [2, []]);
  });

  it("tells of a digest that can't be one as of any other", async () => {
    const { id } = await archive.add(Contract, { draft: "right" });
    await archive.dataSource.manager.update(Contract, { id }, { draftDigest: "b6b53" });
    const { items } = await verify();
    assert.deepEqual(subjectsOf(items), ["altered Contract.draft"]);
    assert.deepEqual((items[0] as AlteredItem).expected, { sha256: "b6b53" });
  });

  it("counts a row whose file has no digest as not verified, and compares its size where it has one", async () => {
    const letters = [await archive.add(Letter, { scan: "right" }), await archive.add(Letter, { scan: "right" })];
    for (const { id } of letters) await archive.dataSource.manager.update(Letter, id, { digest: null });
    const { id } = await archive.add(Contract, { draft: "right" });
    await archive.dataSource.manager.update(Contract, { id }, { draftDigest: "" });
    await archive.add(Memo, { file: "right" });
    await archive.add(Plain, { file: "right" });
    archive.storage.read = () => assert.fail("it was read");
    const { report, items } = await verify();
    assert.deepEqual(report.verification, { verified: 0, unverified: 4, altered: 0, unreadable: 0 });
    assert.deepEqual(items, []);
    await archive.harm(letters[1]!.scan, "too long");
    const harmed = await verify();
    assert.deepEqual(harmed.report.verification, { verified: 0, unverified: 3, altered: 1, unreadable: 0 });
    assert.deepEqual((harmed.items[0] as AlteredItem).expected, { size: 5 });
  });

  it("has nothing to say of rows without a file, whether that is null or an empty text", async () => {
    const { manager } = archive.dataSource;
    await manager.insert(Letter, { digest: digestOf("none") });
    await archive.dataSource
      .createQueryBuilder()
      .insert()
      .into(Letter)
      .values({ scan: () => "''", digest: digestOf("none") })
      .execute();
    const { report, items } = await verify();
    assert.deepEqual(report.verification, { verified: 0, unverified: 0, altered: 0, unreadable: 0 });
    assert.deepEqual(items, []);
  });

  it("counts a row without an object, or whose value is not a key, as missing or invalid, once, and as nothing else", async () => {
    const { scan } = await archive.add(Letter, { scan: "right" });
    await unlink(archive.storage.path(scan!.key));
    const { id } = await archive.add(Letter, { scan: "right" });
    await archive.dataSource
      .createQueryBuilder()
      .update(Letter)
      .set({ scan: () => "'../a.pdf'" })
      .where({ id })
      .execute();
    const { report, items } = await verify();
    assert.deepEqual(subjectsOf(items), ["invalid Letter.scan", "missing Letter.scan"]);
    assert.deepEqual([report.missing, report.invalid], [1, 1]);
    assert.deepEqual(report.verification, { verified: 0, unverified: 0, altered: 0, unreadable: 0 });
  });

  it("leaves out a row of a child class that keeps no digest, unlike its parent", async () => {
    const sketch = await archive.add(Sketch, { file: "right" });
    await archive.dataSource.manager.update(Medium, sketch.id, { digest: digestOf("wrong") });
    await archive.add(Medium, { file: "right" });
    const { report, items } = await verify();
    assert.deepEqual(report.verification, { verified: 1, unverified: 0, altered: 0, unreadable: 0 });
    assert.deepEqual(items, []);
  });

  it("leaves out a row of a class that the data source does not know", async () => {
    const { scan } = await archive.add(Letter, { scan: "right" });
    const { id, file } = await archive.add(Medium, { file: "right" });
    await archive.harm(file, "wrong");
    const { driver } = archive.dataSource;
    await archive.dataSource.query(
      `UPDATE medium SET kind = 'Unknown' WHERE id = ${driver.createParameter("value", 0)}`,
      [id],
    );
    const { report, items } = await verify();
    assert.deepEqual([report.verification!.verified, items, scan !== null], [1, [], true]);
  });

  it("tells of an object that the storage can't read, or can't look up, and goes on with the rest", async () => {
    const [unread, unseen, short, , late] = await Promise.all(
      ["unread", "unseen", "short", "fine", "late"].map((content) => archive.add(Letter, { scan: content })),
    );
    const { storage } = archive;
    const [read, stat] = [storage.read.bind(storage), storage.stat.bind(storage)];
    storage.stat = async (key) => {
      if (key === unseen!.scan!.key) throw new StorageError("no answer", key);
      return stat(key);
    };
    storage.read = async (key, options) => {
      if (key === unread!.scan!.key) throw new StorageError("a bad sector", key);
      if (key === short!.scan!.key) return Readable.from([Buffer.from("sho")]);
      if (key === late!.scan!.key) return Readable.from(failing());
      return read(key, options);
    };
    const { report, items } = await verify();
    assert.deepEqual(report.verification, { verified: 1, unverified: 0, altered: 0, unreadable: 4 });
    const errors = new Map(
      (items as UnreadableItem[]).map(({ kind, key, error }) => [key, `${kind}: ${error.message}`]),
    );
    assert.equal(errors.get(unread!.scan!.key), "unreadable: a bad sector");
    assert.equal(errors.get(unseen!.scan!.key), "unreadable: no answer");
    assert.equal(errors.get(late!.scan!.key), "unreadable: cut");
    assert.match(errors.get(short!.scan!.key)!, /^unreadable: letters\/.*: its storage gave 3 bytes of 5\. /);
  });

  it("removes orphans alone, and no object because it is altered or can't be read", async () => {
    const [altered, unread] = [
      await archive.add(Letter, { scan: "right" }),
      await archive.add(Letter, { scan: "right" }),
    ];
    await archive.harm(altered.scan, "wrong");
    await archive.harm(unread.scan, "longer");
    await archive.dataSource.manager.update(Letter, unread.id, { bytes: null });
    const orphan = await putOld(archive.storage, keyIn("letters"));
    const { storage } = archive;
    const read = storage.read.bind(storage);
    storage.read = async (key, options) => {
      if (key === unread.scan!.key) throw new StorageError("a bad sector", key);
      return read(key, options);
    };
    const { report } = await sweepAll(archive.files, { verify: true, dryRun: false, olderThan: 0 });
    assert.deepEqual([report.removed, report.orphans, report.failed], [1, 1, 0]);
    assert.deepEqual(report.verification, { verified: 0, unverified: 0, altered: 1, unreadable: 1 });
    assert.deepEqual(await keysOf(storage), [altered.scan!.key, unread.scan!.key].sort());
    assert.ok(!(await keysOf(storage)).includes(orphan));
  });

  it("reads all rows of several pages, a few objects at a time, and tells how far it is", async () => {
    const count = 2300;
    const rows = Array.from({ length: count }, (_, index) => [keyIn("songs", `${index}.txt`), digestOf(`${index}`)]);
    for (const [index, [key]] of rows.entries()) {
      elsewhere.objects.set(key!, {
        bytes: Buffer.from(index % 1000 === 999 ? "x" : `${index}`),
        modifiedAt: new Date(0),
      });
    }
    const { driver } = archive.dataSource;
    for (let start = 0; start < count; start += 100) {
      const some = rows.slice(start, start + 100);
      const values = some.map((_, line) => `('Song', ${[0, 1].map((n) => driver.createParameter("v", line * 2 + n))})`);
      await archive.dataSource.query(`INSERT INTO medium (kind, file, recording) VALUES ${values}`, some.flat());
    }
    let [reading, most] = [0, 0];
    const read = elsewhere.read.bind(elsewhere);
    const told: SweepProgress[] = [];
    elsewhere.read = async (key) => {
      most = Math.max(most, ++reading);
      await new Promise((resolve) => setImmediate(resolve));
      return (await read(key)).once("close", () => reading--);
    };
    try {
      const report = await archive.files.sweep({ verify: true, onProgress: (progress) => void told.push(progress) });
      assert.deepEqual(report.verification, { verified: 2298, unverified: 0, altered: 2, unreadable: 0 });
    } finally {
      elsewhere.read = read;
    }
    assert.ok(most > 1 && most <= 4, `${most} were read at once`);
    const last = told.filter(({ step }) => step === "verify").at(-1);
    assert.deepEqual(last, { step: "verify", done: count, expected: count });
  });

  it("reads no more objects when a function of the caller has thrown", async () => {
    for (let count = 0; count < 30; count++) await archive.add(Letter, { scan: "right" });
    const { storage } = archive;
    const read = storage.read.bind(storage);
    let times = 0;
    storage.read = async (key, options) => {
      times++;
      return read(key, options);
    };
    const onProgress = ({ step, done }: SweepProgress) => {
      if (step === "verify" && done === 1) throw new Error("no more");
    };
    await assert.rejects(archive.files.sweep({ verify: true, onProgress }), /^Error: no more$/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(times <= 8, `${times} objects were read`);
  });

  it("ends when it is told to, also within an object", { timeout: 60_000 }, async () => {
    await archive.add(Letter, { scan: "right" });
    const controller = new AbortController();
    let stream: Readable | undefined;
    archive.storage.read = async () => {
      setImmediate(() => controller.abort(new Error("enough")));
      stream = new Readable({ read() {} });
      return stream;
    };
    await assert.rejects(archive.files.sweep({ verify: true, signal: controller.signal }), /^Error: enough$/);
    assert.equal(stream?.destroyed, true);
  });
});

@Entity()
class Scrap {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "scraps" }) file!: PrivateFile;
}

describe("a sweep with verify where no column has a digest", () => {
  it("is refused before anything is removed, because nothing says which bytes are right", async (t) => {
    const fixture = await openSweepFixture({ entities: [Scrap] });
    t.after(() => fixture.close());
    const orphan = await putOld(fixture.storage, keyIn("scraps"));
    await assert.rejects(
      new PrivateFiles(fixture.dataSource, { storage: fixture.storage }).sweep({
        verify: true,
        dryRun: false,
        force: true,
      }),
      {
        name: "ConfigurationError",
        message:
          'PrivateFiles.sweep: "verify" needs a column that keeps the digests of its files, and there is none. Give a private file column "fields.sha256", or leave "verify" out.',
      },
    );
    assert.deepEqual(await keysOf(fixture.storage), [orphan]);
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("la");
  throw new Error("cut");
}
