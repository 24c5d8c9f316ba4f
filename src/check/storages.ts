import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { proposeKey } from "../column/upload-to.js";
import { visible } from "../quoted.js";
import type { Storage } from "../storage/storage.js";
import type { Problem } from "./problem.js";

const CONTENT = "typeorm-private-files";

/** Writes, reads and removes a small file in the folder of each column. A crash leaves one that a sweep removes. */
export async function checkStorages(storages: ColumnStorages): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const storage of storages.storages) {
    const folders = new Set<string>();
    for (const column of storages.columnsOn(storage)) {
      const folder = folderOf(column);
      if (folders.has(folder)) continue;
      folders.add(folder);
      problems.push(...(await checkFolder(storage, column.subject, folder)));
    }
  }
  return problems;
}

/** The root where a function says where files go: it needs an entity. */
function folderOf({ options }: PrivateColumn): string {
  return typeof options.uploadTo === "string" ? options.uploadTo : "";
}

async function checkFolder(storage: Storage, subject: string, folder: string): Promise<Problem[]> {
  const key = await proposeKey(subject, folder, {}, "check.txt", Number.POSITIVE_INFINITY);
  try {
    await storage.put(key, Readable.from([Buffer.from(CONTENT)]));
    try {
      const content = await text(await storage.read(key));
      if (content !== CONTENT) throw new Error("other bytes were read than were written");
    } finally {
      await storage.delete(key);
    }
    if (await storage.stat(key)) throw new Error("a file is still there after it was removed");
    return [];
  } catch (error) {
    const reason = visible(error instanceof Error ? error.message : String(error));
    const message = `its storage can't write a file, read it back and remove it. Fix this error: ${reason}`;
    return [{ code: "STORAGE_FAILS", severity: "error", subject, message }];
  }
}
