import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntityTarget, ObjectLiteral } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import type { Model, OpenDatabase, TestDatabase } from "./databases.js";
import { letUploadsExpire, RETRY_FOR } from "./retry-clock.js";
import { after, before, beforeEach } from "./suite.js";

/** A database with private files, and nobody who downloads them. */
export interface Archive extends OpenDatabase {
  files: PrivateFiles;
  storage: DiskStorage;
  /** The keys of all objects in the storage, sorted. */
  keys(): Promise<string[]>;
  /** Lets the time pass for which uploads may be saved again. */
  expire(): Promise<void>;
}

/** Opens an empty database of that kind, and an empty storage. */
export async function openArchive(database: TestDatabase, model: Model): Promise<Archive> {
  const { dataSource, close } = await database.open(model);
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const storage = new DiskStorage(join(folder, "files"));
  const files = new PrivateFiles(dataSource, { storage, retryFor: RETRY_FOR });
  return {
    ...{ dataSource, files, storage },
    async keys() {
      const keys: string[] = [];
      for await (const { key } of storage.list("")) keys.push(key);
      return keys.sort();
    },
    expire: letUploadsExpire,
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * An archive for the tests of the suite that this is called in: opened before the first, emptied before each, closed after
 * the last.
 *
 * @param emptied the entities whose rows are deleted before each test, in this order.
 */
export function archiveOfSuite(database: TestDatabase, model: Model, emptied: EntityTarget<ObjectLiteral>[]): Archive {
  const archive = {} as Archive;
  before(async () => Object.assign(archive, await openArchive(database, model)));
  beforeEach(async () => {
    await archive.expire();
    for (const entity of emptied) await archive.dataSource.manager.deleteAll(entity);
    for (const key of await archive.keys()) await archive.storage.delete(key);
  });
  after(() => archive.close());
  return archive;
}
