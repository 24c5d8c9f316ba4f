import { createHash } from "node:crypto";
import { constants } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { randomSegment } from "../../key.js";
import { codeOf, isAbsent } from "../disk-error.js";
import { DiskFolder, makeFolder } from "../disk-folder.js";

/** Files in a folder with this bit get the folder's group. */
const S_ISGID = 0o2000;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
/** The folder under a root where uploads are until they are complete. */
const FOLDER = ".incomplete";

/** A file that has no key yet. */
export interface IncompleteFile {
  /** Its absolute path. */
  path: string;
  /** Open for writing. */
  handle: FileHandle;
}

/** Whether a key, or a name right under the root, is in the reserved folder, also on disks that take no notice of case. */
export function isIncomplete(key: string): boolean {
  return key.split("/", 1)[0]?.toLowerCase() === FOLDER;
}

/** A new file that nobody else has or can guess. */
export async function createIncomplete(root: string, mode: number): Promise<IncompleteFile> {
  return createIn(root, randomSegment(), mode);
}

/**
 * A clone of a file that has no key yet: its blocks are those of the original. `undefined` where the file system has no clones, or when
 * the clone fails for any other reason, which writing the bytes will show.
 */
export function cloneIncomplete(root: string, original: string, mode: number): Promise<IncompleteFile | undefined> {
  return madeIncomplete(root, mode, (name) => fs.copyFile(original, name, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE));
}

/**
 * A file of another folder, which is gone from there. `undefined` where it is no regular file, is on another file system, would not get
 * the group of the storage's files, or has other names, and when anything else fails; it is where it was then.
 */
export async function takeIncomplete(
  root: string,
  original: string,
  mode: number,
): Promise<IncompleteFile | undefined> {
  const file = await madeIncomplete(root, mode, (name) => linkOwn(original, name));
  if (file === undefined) return undefined;
  try {
    await fs.unlink(original);
    return file;
  } catch {
    await file.handle.close();
    await fs.unlink(file.path).catch(() => {});
    return undefined;
  }
}

/**
 * Does something while no other writer does anything for the same key, in this process or another.
 *
 * @throws the file system's error; `EEXIST` when another writer is at it, or was when it crashed.
 */
export async function whileLocked<T>(root: string, key: string, doing: () => Promise<T>): Promise<T> {
  // Two keys that a disk may take for one share a lock.
  const name = createHash("sha256").update(key.normalize("NFC").toLowerCase()).digest("hex");
  const lock = await createIn(root, `${name}.lock`, 0o600);
  try {
    await lock.handle.close();
    return await doing();
  } finally {
    await fs.unlink(lock.path);
  }
}

/** Removes what was last written before a time. Returns the number of files. */
export async function removeIncompleteFiles(root: string, before: Date): Promise<number> {
  const folder = await DiskFolder.open(join(root, FOLDER)).catch(unlessAbsent);
  if (folder === undefined) return 0;
  let removed = 0;
  try {
    for await (const { name } of await fs.opendir(folder.at())) {
      if (await removeOlder(folder.at(name), before)) removed++;
    }
  } finally {
    await folder.close();
  }
  return removed;
}

/** A file that something else than writing makes, with the permissions of one that is written. */
async function madeIncomplete(
  root: string,
  mode: number,
  make: (name: string) => Promise<void>,
): Promise<IncompleteFile | undefined> {
  const path = join(root, FOLDER, randomSegment());
  const folder = await makeFolder(root, dirname(path), 0o700);
  const name = folder.at(basename(path));
  try {
    await make(name);
    await fs.chmod(name, mode & ~process.umask());
    return { path, handle: await fs.open(name, O_WRONLY | O_NOFOLLOW) };
  } catch (error) {
    // What was there before is somebody else's.
    if (codeOf(error) !== "EEXIST") await fs.unlink(name).catch(() => {});
    return undefined;
  } finally {
    await folder.close();
  }
}

/** A new file gets the group of its folder where the folder says so, and another name of it could be written to. */
async function linkOwn(original: string, name: string): Promise<void> {
  await fs.link(original, name);
  const [file, folder] = await Promise.all([fs.lstat(name), fs.stat(dirname(name))]);
  const hasGroup = (folder.mode & S_ISGID) === 0 || folder.gid === file.gid;
  if (!file.isFile() || !hasGroup || file.nlink !== 2) throw new Error("Not a file that can be taken over.");
}

async function createIn(root: string, name: string, mode: number): Promise<IncompleteFile> {
  const path = join(root, FOLDER);
  const folder = await makeFolder(root, path, 0o700);
  try {
    const handle = await fs.open(folder.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    return { path: join(path, name), handle };
  } finally {
    await folder.close();
  }
}

async function removeOlder(path: string, before: Date): Promise<boolean> {
  const stats = await fs.lstat(path).catch(unlessAbsent);
  if (!stats?.isFile() || stats.mtime >= before) return false;
  await fs.unlink(path).catch(unlessAbsent);
  return true;
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
