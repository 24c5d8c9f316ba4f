import fs, { type FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { KeyTakenError } from "../../../errors.js";
import type { StoredObject } from "../../storage.js";
import { codeOf } from "../disk-error.js";
import { type DiskFolder, makeFolder, removeObjectFolder } from "../disk-folder.js";
import { createIncomplete, type IncompleteFile, whileLocked } from "./disk-incomplete.js";
import { writeGathered } from "./gathered-write.js";

/** How often a folder may be removed under our hands before we give up. */
const ATTEMPTS = 50;
/** What `link` answers on file systems that have no hard links, or not between these folders. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK"]);

/** Where and how an object is written. */
export interface DiskTarget {
  /** The key, for messages. */
  key: string;
  /** The key's absolute path. */
  path: string;
  /** The storage's root. */
  root: string;
  /** The permissions of the file. */
  fileMode: number;
  /** The permissions of folders that are missing. */
  folderMode: number;
}

/**
 * Writes an object that is complete or absent, whenever the machine stops: the bytes go to a file of their own and are
 * synced, then the file gets its name without overwriting, and the folder is synced. When anything fails nothing stays.
 *
 * @param ready asked once all bytes are kept; may still throw.
 * @throws KeyTakenError, what `bytes` and `ready` throw, and the file system's errors.
 */
export async function writeObject(
  target: DiskTarget,
  bytes: AsyncIterable<Uint8Array>,
  ready: () => void | Promise<void>,
): Promise<StoredObject> {
  const file = await createIncomplete(target.root, target.fileMode);
  return publishing(file, target, ready, () => writeGathered(file.handle, bytes));
}

/**
 * Gives a file its key once it is filled and synced. When anything fails the file is removed.
 *
 * @param fill writes the bytes; returns their number.
 * @throws as {@link writeObject}.
 */
export async function publishing(
  file: IncompleteFile,
  target: DiskTarget,
  ready: () => void | Promise<void>,
  fill: () => Promise<number>,
): Promise<StoredObject> {
  try {
    const stored = await filled(file.handle, fill);
    await ready();
    await publish(file.path, target);
    return stored;
  } catch (error) {
    await fs.unlink(file.path).catch(ignore);
    throw error;
  }
}

/** Writes the bytes of a file, syncs them and closes it. */
export async function filled(handle: FileHandle, fill: () => Promise<number>): Promise<StoredObject> {
  try {
    const size = await fill();
    await handle.datasync();
    return { size, modifiedAt: (await handle.stat()).mtime };
  } finally {
    await handle.close();
  }
}

/** Gives a file its key, making the folders. Another writer that deletes may remove a folder before the file is in it. */
export async function publish(file: string, target: DiskTarget): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await publishOnce(file, target);
    } catch (error) {
      if (codeOf(error) === "ENOENT" && attempt < ATTEMPTS) continue;
      if (!(error instanceof KeyTakenError)) await removeObjectFolder(dirname(target.path));
      throw error;
    }
  }
}

async function publishOnce(file: string, target: DiskTarget): Promise<void> {
  const folder = await makeFolder(target.root, dirname(target.path), target.folderMode);
  try {
    const path = folder.at(basename(target.path));
    await giveName(file, path, target);
    await settle(file, path, folder);
  } finally {
    await folder.close();
  }
}

async function giveName(file: string, path: string, target: DiskTarget): Promise<void> {
  try {
    await fs.link(file, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw new KeyTakenError(target.key, { cause: error });
    if (!NO_LINKS.has(codeOf(error) ?? "")) throw error;
    await renameUnlessTaken(file, path, target);
  }
}

/** `rename` overwrites. A placeholder under the key would keep others away, but readers would find it empty: a lock does not. */
async function renameUnlessTaken(file: string, path: string, { root, key }: DiskTarget): Promise<void> {
  try {
    await whileLocked(root, key, async () => {
      if (await exists(path)) throw new KeyTakenError(key);
      await fs.rename(file, path);
    });
  } catch (error) {
    throw codeOf(error) === "EEXIST" ? new KeyTakenError(key, { cause: error }) : error;
  }
}

/** What could not be made to last is not there: the caller was told that it failed. */
async function settle(file: string, path: string, folder: DiskFolder): Promise<void> {
  try {
    await fs.unlink(file).catch(unlessMissing);
    await folder.sync();
  } catch (error) {
    await fs.unlink(path).catch(ignore);
    throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return fs.lstat(path).then(
    () => true,
    (error) => unlessMissing(error) ?? false,
  );
}

function unlessMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

function ignore(): void {}
