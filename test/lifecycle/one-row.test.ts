import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Column, DataSource, type DataSourceOptions, Entity, type EntityManager, PrimaryColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { openArchive } from "../support/archive.js";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { after, before, it } from "../support/suite.js";
import { LetterBox, undone } from "./letter-box.js";
import { Letter } from "./letters.js";

/** A primary key that the application sees as an object. */
class Isbn {
  constructor(readonly digits: string) {}
}

const isbn = {
  to: (value?: Isbn | null) => value?.digits,
  from: (value?: string | null) => (typeof value === "string" ? new Isbn(value) : value),
};

@Entity()
class Book {
  @PrimaryColumn({ type: "varchar", length: 13, transformer: isbn }) isbn!: Isbn;
  @Column({ type: String, nullable: true }) title!: string | null;
  @PrivateFileColumn({ uploadTo: "books", nullable: true }) cover!: PrivateFile | null;
}

describeOnEachDatabase("A row whose primary key is a value object", (database) => {
  let archive: Awaited<ReturnType<typeof openArchive>>;
  before(async () => {
    archive = await openArchive(database, { entities: [Book] });
  });
  after(() => archive.close());

  it("has its file replaced and removed with it, alone and among several", async () => {
    const { manager } = archive.dataSource;
    const books = ["9780140449136", "9780199232765"].map((digits) => manager.create(Book, { isbn: new Isbn(digits) }));
    for (const round of ["first", "second"]) {
      for (const book of books) await archive.files.attach(book, "cover", Buffer.from(round));
      await manager.save(books);
      assert.deepEqual(await archive.keys(), books.map(({ cover }) => cover!.key).sort());
    }
    const [book] = await manager.find(Book);
    await manager.save(Book, { ...book, title: "Emma" });
    await manager.remove(await manager.findOneByOrFail(Book, { title: "Emma" }));
    assert.equal((await archive.keys()).length, 1);
    await manager.remove(await manager.find(Book));
    assert.deepEqual(await archive.keys(), []);
  });
});

describeOnEachDatabase("A row that is saved and removed at once", (database) => {
  const box = LetterBox.ofSuite(database, { retryFor: 0.3 });

  it("leaves in one transaction no upload without a row, once there was time to save it again", async () => {
    const letter = await box.attached("new", await box.saved("a"));
    const other = await box.load(letter);
    await box.manager
      .transaction((inner) => Promise.allSettled([inner.save(letter), inner.remove(other)]))
      .catch(() => {});
    await sleep(600);
    assert.ok((await box.rows()).length <= 1);
  });
});

describeOnEachDatabase("A file that a request names by the properties of an object", (database) => {
  const box = LetterBox.ofSuite(database);

  it("stays, whether the merge into an upload fails, or is saved, or rolled back", async () => {
    const victim = await box.saved("victim");
    const letter = await box.attached("own", box.manager.create(Letter, { title: "own" }));
    const body = JSON.parse(`{"key":${JSON.stringify(victim.scan!.key)}}`);
    assert.throws(() => Object.assign(letter.scan!, body), { code: "ERR_PRIVATE_FILE_VALUE" });
    await undone(box.manager, (inner) => inner.save(letter));
    letter.scan = Object.assign(Object.create(letter.scan), {});
    await assert.rejects(box.manager.save(letter), { code: "ERR_PRIVATE_FILE_VALUE" });
    await assert.rejects(box.manager.save(box.manager.create(Letter, { scan: body })), {
      code: "ERR_PRIVATE_FILE_VALUE",
    });
    assert.deepEqual(await box.rows({ left: 1 }), [["victim", "victim"]]);
  });
});

@Entity()
class Memo {
  @PrimaryColumn() id!: number;
  @PrivateFileColumn<Memo>({ uploadTo: (_memo, filename) => `memos/${filename}`, condition: () => asked.condition() })
  file!: PrivateFile;
}

/** What the condition of {@link Memo} waits for. */
const asked = { condition: (): Promise<boolean> => Promise.resolve(true) };

describeOnEachDatabase("A download whose row is removed while its condition is asked", (database) => {
  let application: Application;
  before(async () => {
    application = await startApplication({ database, entities: [Memo] });
  });
  after(() => application.close());

  it("finds nothing, though another upload has the name", async () => {
    const { dataSource, files } = application;
    const memo = async (id: number, content: string) => {
      const created = dataSource.manager.create(Memo, { id });
      await files.attach(created, "file", Buffer.from(content), { filename: "memo.txt" });
      return dataSource.manager.save(created);
    };
    const alice = await memo(1, "Alice's");
    let allow = (_: boolean) => {};
    const reached = new Promise<void>((resolve) => {
      asked.condition = () => {
        resolve();
        return new Promise((decide) => {
          allow = decide;
        });
      };
    });
    const answer = application.get(files.url(alice, "file"));
    await reached;
    await dataSource.manager.remove(alice);
    await memo(2, "Bob's");
    allow(true);
    assert.equal((await answer).status, 404);
  });
});

describeOnEachDatabase(
  "A PrivateFiles that was made before its data source was initialized",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let dataSource: DataSource;
    let manager: EntityManager;
    before(async () => {
      const options = { ...box.dataSource.options, entities: [Letter], subscribers: [], synchronize: false };
      dataSource = new DataSource(options as DataSourceOptions);
      new PrivateFiles(dataSource, { storage: box.storage });
      await dataSource.initialize();
      box.beforeClose(() => dataSource.destroy());
      manager = dataSource.manager;
    });

    it("follows the rows from the first statement on, and again after another initialize", async () => {
      for (const title of ["a", "b"]) {
        await manager.remove(await box.load(await box.saved(title), manager));
        assert.deepEqual(await box.rows(), []);
        await dataSource.destroy();
        await dataSource.initialize();
      }
    });
  },
  [betterSqlite3, postgres, mariadb],
);
