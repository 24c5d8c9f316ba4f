import assert from "node:assert/strict";
import { unlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type CheckOptions,
  type CheckProgress,
  PrivateFile,
  PrivateFileColumn,
  type Problem,
  StorageError,
} from "typeorm-private-files";
import { brief } from "../check/checked.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keysOf, openSweepFixture } from "../support/sweep-fixture.js";
import {
  type Archive,
  Contract,
  digestOf,
  Film,
  Letter,
  Medium,
  Memo,
  openArchive,
  Person,
  Plain,
  Song,
} from "./archive.js";

/** What is found without `verify` as well. */
const USUAL = ["COMMIT_NOT_SYNCED", "COLUMN_WITHOUT_INDEX"];

describeOnEachDatabase("PrivateFiles.check with verify", (database) => {
  let archive: Archive;
  beforeEach(async () => {
    archive = await openArchive(database);
  });
  afterEach(() => archive.close());

  async function verify(options: CheckOptions = {}): Promise<Problem[]> {
    const problems = await archive.files.check({ verify: true, ...options });
    return problems.filter(({ code }) => !USUAL.includes(code));
  }

  it("has nothing to say where each object has the bytes that its row says", async () => {
    await archive.add(Letter, { scan: "letter" });
    await archive.add(Contract, { draft: "draft", final: "final" });
    await archive.add(Person, { "portrait.image": "portrait" });
    await archive.add(Film, { file: "film", poster: "poster" });
    await archive.add(Song, { file: "song" });
    await archive.add(Plain, { file: "plain" });
    const before = await keysOf(archive.storage);
    assert.deepEqual(await verify(), []);
    assert.deepEqual(await keysOf(archive.storage), before);
  });

  it("lists rows whose object has other bytes or another size, with both digests or sizes, and says what to do", async () => {
    const [bytes, size] = [await archive.add(Letter, { scan: "right" }), await archive.add(Letter, { scan: "right" })];
    await archive.dataSource.manager.softRemove(size);
    await archive.harm(bytes.scan, "wrong");
    await archive.harm(size.scan, "too long");
    const [problem, ...others] = await verify();
    assert.deepEqual(others, []);
    assert.deepEqual(problem, {
      ...{ code: "ALTERED_OBJECTS", severity: "error", subject: "Letter.scan", count: 2 },
      message: `2 rows with an object that has other bytes than the row says, such as "${bytes.scan!.key}", "${size.scan!.key}". Restore the objects. Where an object is right, correct the row.`,
      rows: [
        {
          ...{ id: { id: bytes.id }, key: bytes.scan!.key },
          reason: `its SHA-256 digest is "${digestOf("wrong")}", the row says "${digestOf("right")}"`,
        },
        { id: { id: size.id }, key: size.scan!.key, reason: "it has 8 bytes, the row says 5" },
      ],
    });
  });

  it("tells of each column by itself, and of all classes that share a table by the topmost", async () => {
    for (const file of Object.values(await archive.add(Contract, { draft: "draft", final: "final" }))) {
      if (file instanceof PrivateFile) await archive.harm(file, "x");
    }
    await archive.harm((await archive.add(Medium, { file: "medium" })).file, "x");
    const film = await archive.add(Film, { file: "film", poster: "poster" });
    await archive.harm(film.file, "x");
    await archive.harm(film.poster, "x");
    await archive.harm((await archive.add(Song, { file: "song" })).file, "x");
    await archive.harm((await archive.add(Memo, { file: "memo" })).file, "x");
    const problems = await verify();
    assert.deepEqual(
      problems.map(({ code, subject, count }) => `${code} ${subject} ${count}`).toSorted(),
      ["Contract.draft 1", "Contract.final 1", "Film.poster 1", "Medium.file 3", "Memo.file 1"].map(
        (column) => `ALTERED_OBJECTS ${column}`,
      ),
    );
  });

  it("tells of objects that are missing or can't be read, and that rows without a digest are not verified", async () => {
    const [gone, unread, bare] = [
      await archive.add(Letter, { scan: "right" }),
      await archive.add(Letter, { scan: "right" }),
      await archive.add(Letter, { scan: "right" }),
    ];
    await unlink(archive.storage.path(gone.scan!.key));
    await archive.dataSource.manager.update(Letter, bare.id, { digest: null });
    const { storage } = archive;
    const read = storage.read.bind(storage);
    storage.read = async (key, options) => {
      if (key === unread.scan!.key) throw new StorageError("a bad\nsector", key);
      return read(key, options);
    };
    const problems = await verify();
    assert.deepEqual(brief(problems), [
      "error MISSING_OBJECTS Letter.scan",
      "error UNREADABLE_OBJECTS Letter.scan",
      "info UNVERIFIED_OBJECTS Letter.scan",
    ]);
    assert.deepEqual(
      problems.map(({ rows }) => rows),
      [
        [{ id: { id: gone.id }, key: gone.scan!.key }],
        [{ id: { id: unread.id }, key: unread.scan!.key, reason: "a bad\\u{a}sector" }],
        [{ id: { id: bare.id }, key: bare.scan!.key }],
      ],
    );
    assert.match(problems[2]!.message, /^1 row with a file and no digest, such as ".*"\. Nothing says which bytes/);
  });

  it("reads no object of a row where it was not asked to", async () => {
    const { scan } = await archive.add(Letter, { scan: "right" });
    await archive.harm(scan, "wrong");
    const { storage } = archive;
    const read = storage.read.bind(storage);
    storage.read = async (key, options) => {
      assert.notEqual(key, scan!.key);
      return read(key, options);
    };
    for (const options of [{}, { verify: false }]) {
      const problems = await archive.files.check(options);
      assert.deepEqual(
        problems.filter(({ code }) => !USUAL.includes(code)),
        [],
      );
    }
  });

  it("shows the first hundred of many rows, counts all, and tells how far it is", async () => {
    const letters = [];
    for (let count = 0; count < 120; count++) letters.push(await archive.add(Letter, { scan: "right" }));
    await archive.dataSource.manager.update(Letter, letters[0]!.id, { digest: digestOf("right").toUpperCase() });
    for (const { scan } of letters.slice(1)) await archive.harm(scan, "wrong");
    const told: CheckProgress[] = [];
    const [problem] = await verify({ onProgress: (progress) => void told.push(progress) });
    assert.deepEqual([problem!.count, problem!.rows!.length], [119, 100]);
    assert.deepEqual(told.at(-1), { step: "verify", done: 120, expected: 120 });
  });

  it("says that the digests are not checked where the database does not show them, and looks at the other columns", async () => {
    await archive.add(Letter, { scan: "right" });
    await archive.harm((await archive.add(Contract, { draft: "right" })).draft, "wrong");
    await archive.dataSource.query("ALTER TABLE letter RENAME COLUMN digest TO other");
    const problems = await verify();
    assert.deepEqual(brief(problems).toSorted(), [
      "error ALTERED_OBJECTS Contract.draft",
      "warning NOT_CHECKED Letter.scan",
    ]);
    const { message } = problems.find(({ code }) => code === "NOT_CHECKED")!;
    assert.match(message, /^the database refuses to show the digests of its files, .*digest/);
  });

  it("ends when it is told to before it begins", async () => {
    await assert.rejects(verify({ signal: AbortSignal.abort(new Error("never")) }), /^Error: never$/);
  });
});

@Entity()
class Scrap {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "scraps" }) file!: PrivateFile;
}

describe("PrivateFiles.check with verify where no column has a digest", () => {
  it("is refused, because nothing says which bytes are right", async (t) => {
    const fixture = await openSweepFixture({ entities: [Scrap] });
    t.after(() => fixture.close());
    await assert.rejects(fixture.files.check({ verify: true }), {
      name: "ConfigurationError",
      message:
        /^PrivateFiles\.check: "verify" needs a column that keeps the digests of its files, and there is none\. /,
    });
  });
});

describe("PrivateFiles.check with verify, and a signal", () => {
  it("ends within an object when it is told to, and does not take that for a failure", {
    timeout: 60_000,
  }, async (t) => {
    const { files, storage, dataSource, close } = await openSweepFixture({ entities: [Letter] });
    t.after(close);
    const letter = new Letter();
    await files.attach(letter, "scan", Buffer.from("right"), { filename: "a.txt" });
    await dataSource.manager.save(letter);
    const read = storage.read.bind(storage);
    const controller = new AbortController();
    storage.read = async (key, options) => {
      if (key !== letter.scan?.key) return read(key, options);
      setImmediate(() => controller.abort(new Error("enough")));
      return new Readable({ read() {} });
    };
    await assert.rejects(files.check({ verify: true, signal: controller.signal }), /^Error: enough$/);
  });
});
