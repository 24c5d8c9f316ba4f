import { constants } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { isRandomSegment } from "../key.js";
import { codeOf } from "./disk-error.js";
import { descriptorFolder, isRealFolder, isReallyAt } from "./disk-place.js";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
/** What file systems answer that can't sync a folder and keep its entries safe in their own way. */
const NO_FOLDER_SYNC = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** A folder that is held open, so that nobody can put another one, or a link, in its place. Whoever opened it closes it. */
export class DiskFolder {
  readonly #handle: FileHandle;
  readonly #place: string;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#place = descriptorFolder(handle, path);
  }

  /** @throws the file system's error; `ELOOP` when the path leads through a symbolic link, `ENOENT` when it is just removed. */
  static async open(path: string): Promise<DiskFolder> {
    const handle = await fs.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      if (await isReallyAt(handle, path)) return new DiskFolder(handle, path);
      throw await notThere(path);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The path of an entry of this very folder; of the folder itself without a name. Good while the folder is open. */
  at(name = "."): string {
    return `${this.#place}/${name}`;
  }

  /** Makes new and changed names of this folder outlast a crash. */
  async sync(): Promise<void> {
    try {
      await this.#handle.sync();
    } catch (error) {
      if (!NO_FOLDER_SYNC.has(codeOf(error) ?? "")) throw error;
    }
  }

  /** Lets go of the folder. Never fails: nothing was written through it that could be lost. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }
}

/**
 * Opens a folder under `root`, making it and its parents where they are missing. `root` itself is never made: when it
 * is gone, so is the volume that it was on.
 *
 * @throws the file system's error; `ENOENT` also when somebody removes a folder meanwhile.
 */
export async function makeFolder(root: string, path: string, mode: number): Promise<DiskFolder> {
  try {
    return await DiskFolder.open(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || path === root) throw error;
  }
  const parent = await makeFolder(root, dirname(path), mode);
  try {
    await fs.mkdir(parent.at(basename(path)), mode).catch(unlessExists);
    await parent.sync();
  } finally {
    await parent.close();
  }
  return DiskFolder.open(path);
}

/**
 * Removes the folder that was made for one object, if it is empty: its name is a random segment. Other programs may be about to write
 * into any other folder. A folder that can't be removed stays; that is not an error.
 */
export async function removeObjectFolder(path: string): Promise<void> {
  if (!isRandomSegment(basename(path))) return;
  await removeFolder(path).catch(() => {});
}

async function notThere(path: string): Promise<Error> {
  const linked = !(await isRealFolder(path).catch(() => true));
  return linked
    ? Object.assign(new Error(`${path} leads through a symbolic link`), { code: "ELOOP" })
    : Object.assign(new Error(`${path} was removed or replaced while it was opened`), { code: "ENOENT" });
}

function unlessExists(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error;
}

async function removeFolder(path: string): Promise<void> {
  const parent = await DiskFolder.open(dirname(path));
  try {
    await fs.rmdir(parent.at(basename(path)));
  } finally {
    await parent.close();
  }
}
