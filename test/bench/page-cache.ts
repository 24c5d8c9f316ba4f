import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Reads all files of a size below a folder, so that they are in the page cache: none of them is asked for all the time, and some
 * systems drop what nobody has read for a minute.
 */
export async function readIntoPageCache(folder: string, size: number): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).size === size) await readToEnd(path);
  }
}

async function readToEnd(path: string): Promise<void> {
  for await (const _ of createReadStream(path, { highWaterMark: 1024 * 1024 }));
}
