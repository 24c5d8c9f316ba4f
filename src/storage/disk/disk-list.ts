import fs from "node:fs/promises";
import { join } from "node:path";
import { assertKey } from "../key.js";
import type { ListedObject } from "../storage.js";
import { isAbsent } from "./disk-error.js";
import { DiskFolder } from "./disk-folder.js";
import { describe } from "./disk-object.js";
import { isIncomplete } from "./write/disk-incomplete.js";

/**
 * The objects under `root` whose keys start with `prefix`, one folder after the other. Follows no symbolic links. Holds
 * two descriptors for each level of folders and no more names than the system reads at once.
 *
 * @throws the file system's errors, except those of entries that vanish meanwhile.
 */
export function listObjects(root: string, prefix: string): AsyncGenerator<ListedObject> {
  return listFolder(root, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix);
}

/** @param base the folder's key with a `/` at its end; nothing for the root. */
async function* listFolder(root: string, base: string, prefix: string): AsyncGenerator<ListedObject> {
  const folder = await DiskFolder.open(join(root, base, ".")).catch(unlessAbsent);
  if (folder === undefined) return;
  try {
    for await (const entry of await fs.opendir(folder.at())) {
      const key = base + entry.name;
      if (!key.startsWith(prefix) || isIncomplete(key) || !isKey(key)) continue;
      if (entry.isDirectory()) yield* listFolder(root, `${key}/`, prefix);
      else yield* listEntry(folder.at(entry.name), key);
    }
  } finally {
    await folder.close();
  }
}

async function* listEntry(path: string, key: string): AsyncGenerator<ListedObject> {
  const stats = await fs.lstat(path).catch(unlessAbsent);
  if (stats?.isFile()) yield { key, ...describe(stats, key) };
}

/** A file whose name is no key can't be asked for, so it is not listed either. */
function isKey(name: string): boolean {
  try {
    assertKey(name);
    return true;
  } catch {
    return false;
  }
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
