import { constants, type Stats } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../errors.js";
import { diskError, isAbsent } from "./disk-error.js";
import { descriptorFile, isRealFolder, isReallyAt, wasAt } from "./disk-place.js";
import type { OpenObject, StoredObject } from "./storage.js";

/** Not through a link, and without waiting for a FIFO's other end, which would take a thread of the pool for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Where an object is looked for. */
export interface DiskObjectPlace {
  /** Its key, for messages. */
  key: string;
  /** Its absolute path. */
  path: string;
  /** Whether a file that has more names than this one counts as none. */
  refuseHardLinks: boolean;
}

/**
 * Looks at an object without opening it. `undefined` for all but a regular file that is reached without symbolic links.
 *
 * @throws StorageError when the disk fails, or the size is beyond what a number holds exactly.
 */
export async function statObject(place: DiskObjectPlace): Promise<StoredObject | undefined> {
  try {
    const [stats, real] = await Promise.all([fs.lstat(place.path), isRealFolder(dirname(place.path))]);
    return real && isObject(stats, place) ? describe(stats, place.key) : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw diskError(place.key, "looking it up", error);
  }
}

/**
 * Opens an object. `undefined` and `StorageError` as for {@link statObject}. FIFOs, sockets, devices and folders neither
 * block nor are read.
 */
export async function openObject(place: DiskObjectPlace): Promise<DiskObject | undefined> {
  let handle: FileHandle | undefined;
  let object: DiskObject | undefined;
  try {
    handle = await fs.open(place.path, OPEN_FLAGS);
    const stats = await handle.stat();
    if (isObject(stats, place) && ((await isReallyAt(handle, place.path)) || wasAt(handle, place.path))) {
      object = new DiskObject(place.key, handle, describe(stats, place.key));
    }
    return object;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw diskError(place.key, "opening it", error);
  } finally {
    if (object === undefined) await handle?.close();
  }
}

/** What a file's inode says of the object. @throws StorageError when the size is beyond what a number holds exactly. */
export function describe(stats: Stats, key: string): StoredObject {
  if (Number.isSafeInteger(stats.size)) return { size: stats.size, modifiedAt: stats.mtime };
  throw new StorageError(`${key}: it has more than ${Number.MAX_SAFE_INTEGER} bytes. Serve it in parts.`, key);
}

/** What reading takes of an open file; a `FileHandle` has it. */
export interface Descriptor {
  /** Its number. */
  readonly fd: number;
  /** As that of a `FileHandle`. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /** Closes it once nothing is read from it. Calling it again does nothing. */
  close(): Promise<void>;
}

/** An object on one descriptor: it stays what it was when its key is deleted or written anew. */
export class DiskObject implements OpenObject {
  readonly size: number;
  readonly modifiedAt: Date;
  readonly #key: string;
  readonly #handle: Descriptor;

  constructor(key: string, handle: Descriptor, { size, modifiedAt }: StoredObject) {
    this.size = size;
    this.modifiedAt = modifiedAt;
    this.#key = key;
    this.#handle = handle;
  }

  get path(): string | undefined {
    return descriptorFile(this.#handle);
  }

  /** @throws StorageError when the disk fails, or the file became shorter than it was when it was opened. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    const wanted = Math.max(0, Math.min(buffer.byteLength, this.size - position));
    let done = 0;
    while (done < wanted) {
      const count = await this.#readSome(buffer, done, wanted - done, position + done);
      if (count === 0)
        throw new StorageError(`${this.#key}: it became shorter while it was read. Store it anew.`, this.#key);
      done += count;
    }
    return done;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #readSome(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    try {
      return (await this.#handle.read(buffer, offset, length, position)).bytesRead;
    } catch (error) {
      throw diskError(this.#key, "reading it", error);
    }
  }
}

function isObject(stats: Stats, { refuseHardLinks }: DiskObjectPlace): boolean {
  return stats.isFile() && !(refuseHardLinks && stats.nlink > 1);
}
