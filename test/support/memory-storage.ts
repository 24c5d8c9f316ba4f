import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ListedObject, PutOptions, Storage, StoredObject } from "typeorm-private-files";
import { StorageError } from "typeorm-private-files";

/** A storage that is no folder: objects in memory, which have no path. */
export class MemoryStorage implements Storage {
  /** The objects. A test may put some in by itself. */
  readonly objects = new Map<string, { bytes: Buffer; modifiedAt: Date }>();

  async put(key: string, body: Readable, _options: PutOptions = {}): Promise<StoredObject> {
    const object = { bytes: await buffer(body), modifiedAt: new Date() };
    this.objects.set(key, object);
    return { size: object.bytes.length, modifiedAt: object.modifiedAt };
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const object = this.objects.get(key);
    return object && { size: object.bytes.length, modifiedAt: object.modifiedAt };
  }

  async read(key: string): Promise<Readable> {
    const object = this.objects.get(key);
    if (!object) throw new StorageError(`${key}: there is no such object.`, key);
    return Readable.from([object.bytes]);
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    for (const [key, { bytes, modifiedAt }] of [...this.objects]) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length, modifiedAt };
    }
  }
}
