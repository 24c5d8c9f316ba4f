import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DataSource, type DataSourceOptions, type DeepPartial, type EntityManager } from "typeorm";
import { DiskStorage, PrivateFiles, type PrivateFilesOptions } from "typeorm-private-files";
import type { OpenDatabase, TestDatabase } from "../support/databases.js";
import { after, before, beforeEach } from "../support/suite.js";
import { deleteAll } from "../support/typeorm.js";
import { LaterSubscriber, Letter, reactions } from "./letters.js";

/** A database of letters with their files, and a storage. */
export class LetterBox {
  dataSource!: DataSource;
  storage!: DiskStorage;
  files!: PrivateFiles;
  #folder = "";
  #database!: OpenDatabase;
  readonly #beforeClose: (() => Promise<unknown>)[] = [];

  /** Opens one for the tests of a suite, and empties it before each. */
  static ofSuite(database: TestDatabase, options: PrivateFilesOptions = {}): LetterBox {
    const box = new LetterBox();
    before(() => box.open(database, options));
    beforeEach(() => box.empty());
    after(() => box.close());
    return box;
  }

  async open(database: TestDatabase, options: PrivateFilesOptions = {}): Promise<void> {
    this.#database = await database.open({ entities: [Letter], subscribers: [LaterSubscriber] });
    this.dataSource = this.#database.dataSource;
    this.#folder = await mkdtemp(join(tmpdir(), "private-files-"));
    this.storage = new DiskStorage(join(this.#folder, "files"));
    this.files = new PrivateFiles(this.dataSource, { storage: this.storage, ...options });
  }

  async close(): Promise<void> {
    for (const step of this.#beforeClose.splice(0).reverse()) await step();
    await this.#database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async empty(): Promise<void> {
    for (const name of Object.keys(reactions)) delete reactions[name as keyof typeof reactions];
    await deleteAll(this.manager, Letter);
    for (const key of await this.keys()) await this.storage.delete(key);
  }

  /** Does something before the database is closed; the last comes first. */
  beforeClose(step: () => Promise<unknown>): void {
    this.#beforeClose.push(step);
  }

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Another data source of the same database, as another process has it. */
  async neighbour(options: Partial<DataSourceOptions> = {}): Promise<{ dataSource: DataSource; files: PrivateFiles }> {
    const shared = { ...this.dataSource.options, entities: [Letter], subscribers: [], synchronize: false };
    const dataSource = await new DataSource({ ...shared, ...options } as DataSourceOptions).initialize();
    this.beforeClose(() => dataSource.destroy());
    return { dataSource, files: new PrivateFiles(dataSource, { storage: this.storage }) };
  }

  /** Puts an upload into a letter, by default into a new one. */
  async attached(content: string, letter = new Letter(), files = this.files): Promise<Letter> {
    await files.attach(letter, "scan", Buffer.from(content), { filename: "letter.txt" });
    return letter;
  }

  /** A row with a file whose content is its title, unless that is given. */
  async saved(title: string, content = title, values: DeepPartial<Letter> = {}): Promise<Letter> {
    return this.manager.save(await this.attached(content, this.manager.create(Letter, { title, ...values })));
  }

  load({ id }: { id: number }, manager = this.manager): Promise<Letter> {
    return manager.findOneOrFail(Letter, { where: { id }, withDeleted: true });
  }

  async has(file: { key: string } | string): Promise<boolean> {
    return (await this.storage.stat(typeof file === "string" ? file : file.key)) !== undefined;
  }

  /** The keys of all objects in the storage, sorted. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.storage.list("")) keys.push(key);
    return keys.sort();
  }

  /**
   * The title and the content of the scan of each row, in the order in which they were inserted. Makes sure that each row has
   * its files, that no file is in two rows, and that the storage has nothing else.
   *
   * @param left how many uploads the storage has besides, which may still be saved.
   */
  async rows({ left = 0 } = {}): Promise<[string | null, string | null][]> {
    const letters = await this.manager.find(Letter, { order: { id: "ASC" }, withDeleted: true });
    const named = letters.flatMap(({ scan, photo }) => [scan, photo]).flatMap((file) => file?.key ?? []);
    const keys = await this.keys();
    assert.equal(new Set(named).size, named.length, "No file is in two rows.");
    assert.deepEqual(
      [...named].filter((key) => !keys.includes(key)),
      [],
      "Each row has its file.",
    );
    assert.equal(keys.length - named.length, left, "The storage has what rows name and what may be saved again.");
    return Promise.all(letters.map(async (letter) => [letter.title, await this.#read(letter)] as const)) as never;
  }

  async #read(letter: Letter): Promise<string | null> {
    return letter.scan ? text(await this.files.open(letter, "scan")) : null;
  }
}

/** The error with which TypeORM ends a transaction that a test wants rolled back. */
export class Undo extends Error {}

/** Runs something in a transaction that is rolled back. */
export async function undone(manager: EntityManager, work: (inner: EntityManager) => Promise<unknown>): Promise<void> {
  const transaction = manager.transaction(async (inner) => {
    await work(inner);
    throw new Undo("Not today.");
  });
  await assert.rejects(transaction, Undo);
}

/** What a value is refused with that belongs to another row. */
export const otherRow = {
  code: "ERR_PRIVATE_FILE_OTHER_ROW",
  message:
    /belongs to another row, or was replaced since .* Load the entity again, .* or give the other row a copy: files\.copy\(from, property, to, property\)\.$/,
};
