import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChildEntity, Column, DataSource, Entity, Index, PrimaryGeneratedColumn, TableInheritance } from "typeorm";
import { DiskStorage, PrivateFile, PrivateFileColumn, PrivateFiles, type Storage } from "typeorm-private-files";
import { isRandomSegment } from "../../src/storage/key.js";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keysOf, openSweepFixture, type SweepFixture } from "../support/sweep-fixture.js";
import { brief, checked } from "./checked.js";

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "invoices/%Y" })
  scan!: PrivateFile;
  @PrivateFileColumn({ unique: true, uploadTo: (_, filename) => filename }) draft!: PrivateFile;
}

@Entity()
@Index(["scan", "page"])
@Index(["page", "back"])
class Sheet {
  @PrimaryGeneratedColumn() id!: number;
  @Column() page!: number;
  @PrivateFileColumn({ name: "scan_key", length: 62 }) scan!: PrivateFile;
  @PrivateFileColumn({ length: 120, uploadTo: "back" }) back!: PrivateFile;
  @PrivateFileColumn({ length: 40, uploadTo: "note" }) note!: PrivateFile;
}

@Entity()
@TableInheritance({ column: { type: "varchar", name: "kind" } })
class Medium {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "media" }) file!: PrivateFile;
}

@ChildEntity()
class Film extends Medium {}

describeOnEachDatabase("PrivateFiles.check of the tables", (database) => {
  let fixture: SweepFixture;
  afterEach(() => fixture.close());

  it("has nothing to say where all is well, and leaves nothing behind", async () => {
    fixture = await openSweepFixture({ entities: [Invoice] }, database);
    assert.deepEqual(await checked(fixture), []);
    assert.deepEqual(await keysOf(fixture.storage), []);
  });

  it("warns of a column that long keys don't fit, and of one that no index begins with; none fitting is an error", async () => {
    fixture = await openSweepFixture({ entities: [Sheet] }, database);
    const problems = await checked(fixture);
    assert.deepEqual(brief(problems), [
      "warning COLUMN_SHORT Sheet.scan",
      "warning COLUMN_SHORT Sheet.back",
      "warning COLUMN_WITHOUT_INDEX Sheet.back",
      "error COLUMN_SHORT Sheet.note",
      "warning COLUMN_WITHOUT_INDEX Sheet.note",
    ]);
    assert.equal(
      problems[1]!.message,
      `the column takes 120 characters, and keys have up to 136, so long names of files are cut. Give it a "length" of 136 or more, or a shorter "uploadTo".`,
    );
  });

  it("tells once what is wrong with a column that classes of one table share", async () => {
    fixture = await openSweepFixture({ entities: [Medium, Film] }, database);
    assert.deepEqual(brief(await checked(fixture)), ["warning COLUMN_WITHOUT_INDEX Medium.file"]);
  });

  it("finds a column that the database made shorter than the entity says, where databases keep to that", async () => {
    fixture = await openSweepFixture({ entities: [Invoice] }, database);
    const { dataSource } = fixture;
    const isSqlite = database.name === "sql.js" || database.name === "better-sqlite3";
    const alter = (column: string) =>
      database.name === "MariaDB" ? `MODIFY ${column} varchar(60) NOT NULL` : `ALTER COLUMN ${column} TYPE varchar(60)`;
    for (const column of isSqlite ? [] : ["scan", "draft"]) {
      await dataSource.query(`ALTER TABLE invoice ${alter(column)}`);
    }
    const expected = ["scan", "draft"].map((column) => `error COLUMN_SHORTER_THAN_DECLARED Invoice.${column}`);
    assert.deepEqual(brief(await checked(fixture)), isSqlite ? [] : expected);
  });

  it("finds a table and a column that are not there", async () => {
    fixture = await openSweepFixture({ entities: [Invoice, Medium, Film] }, database);
    const { dataSource } = fixture;
    const runner = dataSource.createQueryRunner();
    await runner.dropColumn("medium", "file");
    await runner.dropTable("invoice");
    await runner.release();
    assert.deepEqual(brief(await checked(fixture)), [
      "error TABLE_MISSING Invoice.scan",
      "error TABLE_MISSING Invoice.draft",
      "error COLUMN_MISSING Medium.file",
    ]);
  });
});

describe("PrivateFiles.check of what the database keeps over a power cut", () => {
  const durability = async (dataSource: DataSource) => {
    const files = new PrivateFiles(dataSource, { storage: new MemoryStorage() });
    return (await files.check()).filter(({ code }) => code === "COMMIT_NOT_SYNCED");
  };

  for (const [pragma, problem] of [
    ["journal_mode = WAL", `"synchronous" is 1 with "journal_mode" wal`],
    ["synchronous = OFF", `"synchronous" is 0 with "journal_mode" delete`],
    ["journal_mode = DELETE", undefined],
  ] as const) {
    it(`${problem ? "warns of" : "has nothing to say of"} SQLite with ${pragma}`, {
      skip: betterSqlite3.skip,
    }, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "private-files-"));
      const prepareDatabase = (database: { pragma(text: string): void }) => database.pragma(pragma);
      const options = { type: "better-sqlite3", database: join(folder, "a.sqlite"), prepareDatabase } as const;
      const dataSource = await new DataSource({ ...options, entities: [Invoice], synchronize: true }).initialize();
      t.after(async () => {
        await dataSource.destroy();
        await rm(folder, { recursive: true });
      });
      const messages = (await durability(dataSource)).map(({ message }) => message);
      assert.deepEqual(
        messages,
        problem
          ? [
              `${problem}, so a power cut may undo commits, and rows may name files again that are gone. Change that setting.`,
            ]
          : [],
      );
    });
  }

  it("warns of PostgreSQL whose commits wait for no disk", { skip: postgres.skip }, async (t) => {
    const { dataSource, close } = await postgres.open({ entities: [Invoice] });
    t.after(close);
    const [{ fsync }] = await dataSource.query("SHOW fsync");
    const [{ name }] = await dataSource.query("SELECT current_database() AS name");
    await dataSource.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await dataSource.destroy();
    await dataSource.initialize();
    const [problem] = await durability(dataSource);
    assert.deepEqual([problem?.severity, problem?.subject], ["warning", "postgres"]);
    assert.match(problem!.message, fsync === "off" ? /^"fsync" is off/ : /^"synchronous_commit" is off/);
  });

  it("says of MariaDB what its setting says", { skip: mariadb.skip }, async (t) => {
    const { dataSource, close } = await mariadb.open({ entities: [Invoice] });
    t.after(close);
    const [{ setting }] = await dataSource.query("SELECT @@innodb_flush_log_at_trx_commit AS setting");
    assert.equal((await durability(dataSource)).length, Number(setting) === 1 ? 0 : 1);
  });
});

describe("PrivateFiles.check of the storages", () => {
  let fixture: SweepFixture;
  beforeEach(async () => {
    fixture = await openSweepFixture({ entities: [Invoice] });
  });
  afterEach(() => fixture.close());

  const check = async (storage: Storage, staticFolders?: string[]) => {
    const { dataSource, close } = await openSweepFixture({ entities: [Invoice] });
    try {
      return await new PrivateFiles(dataSource, { storage }).check({ staticFolders });
    } finally {
      await close();
    }
  };

  it("writes where the columns' uploads go, under keys that a sweep knows for this package's", async () => {
    const storage = new MemoryStorage();
    const removed: string[] = [];
    const remove = storage.delete.bind(storage);
    storage.delete = (key) => {
      removed.push(key);
      return remove(key);
    };
    assert.deepEqual(await check(storage), []);
    const year = new Date().getUTCFullYear();
    assert.deepEqual(
      removed.map((key) => key.split("/").map((segment) => (isRandomSegment(segment) ? "random" : segment))),
      [
        ["invoices", String(year), "random", "check.txt"],
        ["random", "check.txt"],
      ],
    );
    assert.equal(storage.objects.size, 0);
  });

  const failing: [string, (storage: MemoryStorage) => unknown, RegExp][] = [
    ["can't be written", (storage) => (storage.put = () => Promise.reject(new Error("full"))), /Fix this error: full$/],
    ["can't be read", (storage) => (storage.read = () => Promise.reject(new Error("shut"))), /Fix this error: shut$/],
    ["removes nothing", (storage) => (storage.delete = async () => {}), /still there after it was removed$/],
    [
      "gives other bytes back",
      (storage) => {
        const put = storage.put.bind(storage);
        storage.put = async (key, body) => {
          const kept = await put(key, body);
          storage.objects.get(key)!.bytes = Buffer.from("other");
          return kept;
        };
      },
      /other bytes were read than were written$/,
    ],
  ];
  for (const [what, breakIt, message] of failing) {
    it(`finds a storage that ${what}, once for each folder`, async () => {
      const storage = new MemoryStorage();
      breakIt(storage);
      const problems = await check(storage);
      assert.deepEqual(brief(problems), ["error STORAGE_FAILS Invoice.scan", "error STORAGE_FAILS Invoice.draft"]);
      assert.match(problems[0]!.message, message);
    });
  }

  it("finds a folder whose volume is gone", async () => {
    await rm(fixture.storage.root, { recursive: true });
    const [problem] = await fixture.files.check();
    assert.deepEqual([problem!.code, problem!.severity], ["STORAGE_FAILS", "error"]);
    assert.match(problem!.message, /ENOENT/);
  });

  it("finds a storage inside of a folder that is served, or around one, through links as well", async () => {
    const web = join(fixture.folder, "web");
    await mkdir(join(web, "css"), { recursive: true });
    await symlink(web, join(fixture.folder, "link"));
    const storage = new DiskStorage(join(web, "files"));
    assert.deepEqual(brief(await check(storage, [join(fixture.folder, "link")])), [
      `error STORAGE_SERVED ${storage.root}`,
    ]);
    await mkdir(join(storage.root, "thumbnails"));
    assert.equal((await check(storage, [join(storage.root, "thumbnails")])).length, 1);
    assert.deepEqual(await check(storage, [join(web, "css")]), []);
    assert.deepEqual(await check(storage, []), []);
    await writeFile(join(web, "page.html"), "");
    for (const missing of ["none", "page.html"]) {
      await assert.rejects(check(storage, [join(web, missing)]), { code: "ERR_PRIVATE_FILE_CONFIGURATION" });
    }
  });

  it("warns of a storage below what looks like such a folder, by its name or its index.html", async () => {
    for (const name of ["public", "WWW"]) {
      const storage = new DiskStorage(join(fixture.folder, name, "deep", "files"));
      const [problem, ...others] = await check(storage);
      assert.deepEqual(brief([problem!]), [`warning STORAGE_PERHAPS_SERVED ${storage.root}`]);
      assert.match(problem!.message, new RegExp(`/${name} looks like a folder that a web server serves`));
      assert.deepEqual(others, []);
    }
    const plain = new DiskStorage(join(fixture.folder, "site", "files"));
    assert.deepEqual(await check(plain), []);
    await writeFile(join(fixture.folder, "site", "index.html"), "");
    assert.deepEqual(brief(await check(plain)), [`warning STORAGE_PERHAPS_SERVED ${plain.root}`]);
  });

  it("finds storages that lie inside of each other", async () => {
    const inner = new DiskStorage(join(fixture.storage.root, "inner"));
    @Entity()
    class Parcel {
      @PrimaryGeneratedColumn() id!: number;
      @Index()
      @PrivateFileColumn()
      label!: PrivateFile;
      @Index()
      @PrivateFileColumn({ storage: inner })
      note!: PrivateFile;
    }
    const other = await openSweepFixture({ entities: [Parcel] });
    try {
      const files = new PrivateFiles(other.dataSource, { storage: fixture.storage });
      assert.deepEqual(brief(await files.check()), [`error STORAGES_NESTED ${inner.root}`]);
    } finally {
      await other.close();
    }
  });
});
