import { DiskStorage, type ListedObject, type StoredObject } from "typeorm-private-files";

/**
 * A disk that does not tell when files got their keys, as other storages do not: so a test can make a file old by its time alone. No program
 * can set the time that the disk keeps.
 */
export class BackdatedStorage extends DiskStorage {
  override async *list(prefix: string): AsyncGenerator<ListedObject> {
    for await (const object of super.list(prefix)) yield { ...object, changedAt: undefined };
  }

  override async stat(key: string): Promise<StoredObject | undefined> {
    const object = await super.stat(key);
    return object && { ...object, changedAt: undefined };
  }
}
