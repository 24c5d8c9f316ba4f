import fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { InvalidKeyError, StorageError } from "../../errors.js";
import { quoted, visible } from "../../quoted.js";
import { checkDiskOptions, type DiskStorageOptions } from "../disk-options.js";
import { assertKey, assertPrefix } from "../key.js";
import { isWithin } from "../nested-storages.js";
import type {
  CopyOptions,
  ListedObject,
  OpenObject,
  PutOptions,
  ReadOptions,
  StagedUpload,
  Storage,
  StoredObject,
} from "../storage.js";
import { assertNotAborted, discardBody, uploadBytes } from "../upload-bytes.js";
import { diskError, isAbsent } from "./disk-error.js";
import { DiskFolder, removeObjectFolder } from "./disk-folder.js";
import { listObjects } from "./disk-list.js";
import { type DiskObjectPlace, openObject, statObject } from "./disk-object.js";
import { pinRoot } from "./disk-root.js";
import { DiskStream } from "./disk-stream.js";
import { keepsInodesInMemory } from "./inode-memory.js";
import { copyObject } from "./write/disk-copy.js";
import { isIncomplete, removeIncompleteFiles } from "./write/disk-incomplete.js";
import { type Staging, stageBytes, stageFile } from "./write/disk-staging.js";
import { type DiskTarget, writeObject } from "./write/disk-write.js";

/**
 * Files in a folder of this machine, each under its key as its path.
 *
 * The root is made when it is missing, and pinned: changing the working directory later makes no difference. Only
 * regular files that are reached without symbolic links exist for it. `<root>/.incomplete` is its own, so the folders
 * below the root have to be on the root's file system. For Linux, macOS and other POSIX systems.
 *
 * @example
 * new DiskStorage("var/private")
 */
export class DiskStorage implements Storage {
  /** The absolute path of the folder, without symbolic links. */
  readonly root: string;
  readonly #fileMode: number;
  readonly #folderMode: number;
  readonly #refuseHardLinks: boolean;
  readonly #inodesInMemory: boolean;

  /** @throws ConfigurationError for a wrong option, and when the root is missing and can't be made, no folder, or the whole file system. */
  constructor(root: string, options: DiskStorageOptions = {}) {
    checkDiskOptions(options);
    this.#fileMode = options.fileMode ?? 0o600;
    this.#folderMode = options.folderMode ?? 0o700;
    this.#refuseHardLinks = options.refuseHardLinks ?? false;
    this.root = pinRoot(root, this.#folderMode);
    this.#inodesInMemory = keepsInodesInMemory(this.root);
  }

  /** As {@link Storage.put}. The bytes and the name are synced to the disk; what fails leaves no file. */
  async put(key: string, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    try {
      return await writeObject(this.#target(key), uploadBytes(body, options), () => assertNotAborted(options.signal));
    } catch (error) {
      discardBody(body);
      throw diskError(key, "writing it", error);
    }
  }

  /** As {@link Storage.stage}: in the folder of incomplete uploads, which only this user can read. */
  async stage(body: Readable, options: PutOptions = {}): Promise<StagedUpload> {
    try {
      return await stageBytes(this.#staging(), uploadBytes(body, options));
    } catch (error) {
      discardBody(body);
      throw diskError("An upload without a key", "writing it", error);
    }
  }

  /** As {@link Storage.stageFile}, of files on the file system of the root. */
  async stageFile(path: string): Promise<StagedUpload | undefined> {
    try {
      return await stageFile(this.#staging(), path);
    } catch (error) {
      throw diskError("An upload without a key", "writing it", error);
    }
  }

  /** As {@link Storage.stat}. Does not open the file. */
  async stat(key: string): Promise<StoredObject | undefined> {
    return statObject(this.#place(key));
  }

  /** As {@link Storage.open}: one descriptor, checked after it was opened. */
  async open(key: string): Promise<OpenObject | undefined> {
    return openObject(this.#place(key));
  }

  /**
   * As {@link Storage.copy}. On a file system that has clones (Btrfs, XFS, bcachefs, APFS), it takes no time and no space, whatever the
   * size; elsewhere all bytes are read and written.
   */
  async copy(from: string, to: string, { signal }: CopyOptions = {}): Promise<void> {
    try {
      assertNotAborted(signal);
      const [place, target] = [this.#place(from), this.#target(to)];
      const object = await openObject(place);
      if (object === undefined) throw noSuchObject(from);
      const ready = async () => {
        assertNotAborted(signal);
        // Somebody may have written into the file while it was read.
        assertSame(from, object, (await statObject(place)) ?? object);
      };
      await copyObject({ key: from, object, path: place.path }, target, ready, signal);
    } catch (error) {
      throw diskError(from, "copying it", error);
    }
  }

  /** As {@link Storage.read}. The stream holds one descriptor from the start, so it gives all bytes though the key is deleted. */
  async read(key: string, options: ReadOptions = {}): Promise<Readable> {
    const object = await openObject(this.#place(key));
    if (object === undefined) throw noSuchObject(key);
    try {
      options.signal?.throwIfAborted();
      assertSame(key, object, options.of);
      const { start = 0, end = object.size - 1 } = options;
      assertInside(key, start, end, object.size);
      return new DiskStream(object, start, end, options.signal);
    } catch (error) {
      await object.close();
      throw error;
    }
  }

  /** As {@link Storage.delete}. Removes the folder of the key's random segment as well, if it is empty, and no other
   * folder. A symbolic link is removed, never its target. */
  async delete(key: string): Promise<void> {
    const path = this.path(key);
    try {
      await unlink(path);
      await removeObjectFolder(dirname(path));
    } catch (error) {
      if (!isAbsent(error)) throw diskError(key, "deleting it", error);
    }
  }

  /** As {@link Storage.list}. Costs a look at each file; a folder is never read as a whole. */
  async *list(prefix: string): AsyncGenerator<ListedObject> {
    assertPrefix(prefix);
    try {
      yield* listObjects(this.root, prefix);
    } catch (error) {
      throw diskError(prefix || "/", "listing it", error);
    }
  }

  /** As {@link Storage.identify}, by device and inode. Follows links, and looks outside of the root where a name leads there. */
  async identify(name: string): Promise<string | undefined> {
    if (name.includes("\0")) return undefined;
    const path = resolve(this.root, name);
    try {
      const { dev, ino } = await fs.stat(path, { bigint: true });
      return `${dev}:${ino}`;
    } catch (error) {
      if (isAbsent(error) || !isWithin(path, this.root)) return undefined;
      throw diskError(quoted(name), "looking it up", error);
    }
  }

  /** As {@link Storage.removeIncomplete}. */
  async removeIncomplete(before: Date): Promise<number> {
    try {
      return await removeIncompleteFiles(this.root, before);
    } catch (error) {
      throw diskError("Incomplete uploads", "removing them", error);
    }
  }

  /**
   * As {@link Storage.path}.
   *
   * @throws InvalidKeyError as every method, for keys that could leave the root or are in `.incomplete`.
   */
  path(key: string): string {
    assertKey(key);
    if (!isIncomplete(key)) return join(this.root, key);
    throw new InvalidKeyError(
      `Key ${quoted(key)}: its first segment is reserved. Choose another folder than ".incomplete".`,
      key,
    );
  }

  #staging(): Staging {
    return { root: this.root, fileMode: this.#fileMode, targetOf: (key) => this.#target(key) };
  }

  #target(key: string): DiskTarget {
    return {
      key,
      path: this.path(key),
      root: this.root,
      fileMode: this.#fileMode,
      folderMode: this.#folderMode,
    };
  }

  #place(key: string): DiskObjectPlace {
    return {
      key,
      path: this.path(key),
      refuseHardLinks: this.#refuseHardLinks,
      inodesInMemory: this.#inodesInMemory,
    };
  }
}

function noSuchObject(key: string): StorageError {
  return new StorageError(`${visible(key)}: there is no such object. Check "stat" first.`, key);
}

function assertSame(key: string, found: StoredObject, wanted: StoredObject | undefined): void {
  if (wanted === undefined) return;
  if (found.size === wanted.size && found.modifiedAt.getTime() === wanted.modifiedAt.getTime()) return;
  throw new StorageError(`${visible(key)}: it is another object than it was. Call "stat" again.`, key);
}

function assertInside(key: string, start: number, end: number, size: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (whole && start >= 0 && start <= end + 1 && end < size) return;
  throw new StorageError(
    `${visible(key)}: bytes ${start} to ${end} are not all in it, it has ${size}. Call "stat" first.`,
    key,
  );
}

async function unlink(path: string): Promise<void> {
  const folder = await DiskFolder.open(dirname(path));
  try {
    await fs.unlink(folder.at(basename(path)));
  } finally {
    await folder.close();
  }
}
