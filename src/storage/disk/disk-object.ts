import { close, closeSync, constants, fstat, fstatSync, open, type Stats } from "node:fs";
import fs from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { StorageError } from "../../errors.js";
import { visible } from "../../quoted.js";
import type { OpenObject, StoredObject } from "../storage.js";
import { Descriptor } from "./descriptor.js";
import { diskError, isAbsent } from "./disk-error.js";
import { descriptorFile, isRealFolder, isReallyAt, wasAt } from "./disk-place.js";

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
  /** Whether the file system keeps what it knows of an open file in memory. */
  inodesInMemory: boolean;
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
  let descriptor: Descriptor | undefined;
  let object: DiskObject | undefined;
  try {
    const fd = await openFile(place.path);
    descriptor = new Descriptor(fd, () => letGo(fd, place, object));
    const stats = await inodeOf(fd, place);
    if (isObject(stats, place) && ((await isReallyAt(descriptor, place.path)) || wasAt(descriptor, place.path))) {
      object = new DiskObject(place.key, descriptor, describe(stats, place.key));
    }
    return object;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw diskError(place.key, "opening it", error);
  } finally {
    if (object === undefined) await descriptor?.close();
  }
}

/** What a file's inode says of the object. @throws StorageError when the size is beyond what a number holds exactly. */
export function describe(stats: Stats, key: string): StoredObject {
  if (Number.isSafeInteger(stats.size)) return { size: stats.size, modifiedAt: stats.mtime, changedAt: stats.ctime };
  throw new StorageError(`${visible(key)}: it has more than ${Number.MAX_SAFE_INTEGER} bytes. Serve it in parts.`, key);
}

/** An object on one descriptor: it stays what it was when its key is deleted or written anew. */
export class DiskObject implements OpenObject {
  readonly size: number;
  readonly modifiedAt: Date;
  readonly changedAt?: Date;
  readonly #key: string;
  readonly #descriptor: Descriptor;

  constructor(key: string, descriptor: Descriptor, { size, modifiedAt, changedAt }: StoredObject) {
    this.size = size;
    this.modifiedAt = modifiedAt;
    this.changedAt = changedAt;
    this.#key = key;
    this.#descriptor = descriptor;
  }

  get path(): string | undefined {
    return descriptorFile(this.#descriptor);
  }

  /** @throws StorageError when the disk fails, or the file became shorter than it was when it was opened. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    const wanted = Math.max(0, Math.min(buffer.byteLength, this.size - position));
    try {
      for (let done = 0; done < wanted; ) {
        const count = await this.#descriptor.read(buffer, done, wanted - done, position + done);
        if (count === 0) throw becameShorter(this.#key);
        done += count;
      }
      return wanted;
    } catch (error) {
      throw diskError(this.#key, "reading it", error);
    }
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }
}

function becameShorter(key: string): StorageError {
  return new StorageError(`${visible(key)}: it became shorter while it was read. Store it anew.`, key);
}

function openFile(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, OPEN_FLAGS, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}

/** A look into memory takes a fifth of what a turn of the thread pool does. */
function inodeOf(fd: number, { inodesInMemory }: DiskObjectPlace): Stats | Promise<Stats> {
  return inodesInMemory ? fstatSync(fd) : promisify(fstat)(fd);
}

/** Up to this size the last close of a removed file frees its blocks in no time. */
const SMALL_FILE = 1024 * 1024;

function letGo(
  fd: number,
  { inodesInMemory }: DiskObjectPlace,
  object: StoredObject | undefined,
): void | Promise<void> {
  return inodesInMemory && object && object.size <= SMALL_FILE ? closeSync(fd) : promisify(close)(fd);
}

function isObject(stats: Stats, { refuseHardLinks }: DiskObjectPlace): boolean {
  return stats.isFile() && !(refuseHardLinks && stats.nlink > 1);
}
