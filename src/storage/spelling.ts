import { posix } from "node:path";
import { isOurs } from "./key.js";
import { folderOf } from "./location.js";
import type { Storage } from "./storage.js";

/** An empty segment, `.` or `..`. No key has one. */
const NEEDLESS_SEGMENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The key that a text in a row names. Programs like Django read `uploads//report.pdf`, `./uploads/report.pdf`,
 * `old/../uploads/report.pdf` and an absolute path below the storage's folder as they read `uploads/report.pdf`. Nothing is looked up.
 *
 * An object of this package has one name alone: before it is deleted, the database is asked which rows have exactly that.
 *
 * @returns the text itself where it leads out of the storage, or to an object of this package; no storage takes that for a key.
 */
export function objectKey(storage: Storage, text: string): string {
  if (!NEEDLESS_SEGMENT.test(text)) return text;
  const folder = text.startsWith("/") ? folderOf(storage) : "";
  if (folder === undefined) return text;
  const path = posix.normalize(text);
  const key = folder === "" ? path : posix.relative(folder, path);
  return key.startsWith("../") || key === ".." || isOurs(key) ? text : key;
}
