import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntityTarget, ObjectLiteral } from "typeorm";
import { DiskStorage, PrivateFiles, type Storage } from "typeorm-private-files";
import type { Model, OpenDatabase, TestDatabase } from "./databases.js";
import { MemoryStorage } from "./memory-storage.js";
import { letUploadsExpire, RETRY_FOR } from "./retry-clock.js";
import { after, before, beforeEach } from "./suite.js";
import { deleteAll } from "./typeorm.js";

/** A database with private files, and nobody who downloads them. */
export interface Archive<S extends Storage = DiskStorage> extends OpenDatabase {
  files: PrivateFiles;
  storage: S;
  /** The keys of all objects in the storage, sorted. */
  keys(): Promise<string[]>;
  /** Lets the time pass for which uploads may be saved again. */
  expire(): Promise<void>;
}

/** Opens an empty database of that kind, and an empty storage on the disk. */
export async function openArchive(database: TestDatabase, model: Model): Promise<Archive> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const archive = await openArchiveOn(database, model, new DiskStorage(join(folder, "files")));
  return {
    ...archive,
    async close() {
      await archive.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openArchiveOn<S extends Storage>(database: TestDatabase, model: Model, storage: S): Promise<Archive<S>> {
  const { dataSource, close } = await database.open(model);
  const files = new PrivateFiles(dataSource, { storage, retryFor: RETRY_FOR });
  return {
    ...{ dataSource, files, storage },
    async keys() {
      const keys: string[] = [];
      for await (const { key } of storage.list("")) keys.push(key);
      return keys.sort();
    },
    expire: letUploadsExpire,
    close,
  };
}

/**
 * An archive for the tests of the suite that this is called in: opened before the first, emptied before each, closed after
 * the last.
 *
 * @param emptied the entities whose rows are deleted before each test, in this order.
 */
export function archiveOfSuite(database: TestDatabase, model: Model, emptied: EntityTarget<ObjectLiteral>[]): Archive {
  return ofSuite(() => openArchive(database, model), emptied);
}

/** The same with a storage in memory, for tests of many rows. */
export function archiveInMemoryOfSuite(
  database: TestDatabase,
  model: Model,
  emptied: EntityTarget<ObjectLiteral>[],
): Archive<MemoryStorage> {
  return ofSuite(() => openArchiveOn(database, model, new MemoryStorage()), emptied);
}

function ofSuite<A extends Archive<Storage>>(open: () => Promise<A>, emptied: EntityTarget<ObjectLiteral>[]): A {
  const archive = {} as A;
  before(async () => Object.assign(archive, await open()));
  beforeEach(async () => {
    await archive.expire();
    for (const entity of emptied) await deleteAll(archive.dataSource.manager, entity);
    for (const key of await archive.keys()) await archive.storage.delete(key);
  });
  after(() => archive.close());
  return archive;
}
