import { setTimeout as sleep } from "node:timers/promises";
import type { StoredKey } from "./ledger/file-change.js";

/** How many objects are deleted at the same time. */
const CONCURRENCY = 16;

/** Waits for work that goes on by itself when it takes longer. */
export async function waitAtMost(seconds: number, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([work, late]);
  enough.abort();
}

/** Deletes objects. What can't be deleted is a warning, and left to a sweep. */
export async function deleteAll(objects: StoredKey[]): Promise<void> {
  for (let start = 0; start < objects.length; start += CONCURRENCY) {
    await Promise.all(objects.slice(start, start + CONCURRENCY).map(deleteObject));
  }
}

/** Emits a warning of the process: the call that led here is over, or must not fail. */
export function warn(what: string, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `${what}: ${reason.replace(/[.\s]*$/, ".")} A sweep finds what is left.`;
  const warning = { name: "PrivateFileWarning", code: "ERR_PRIVATE_FILE_STORAGE" };
  process.emitWarning(Object.assign(new Error(message, { cause }), warning));
}

async function deleteObject({ storage, key }: StoredKey): Promise<void> {
  try {
    await storage.delete(key);
  } catch (error) {
    warn("A file that no row has could not be deleted", error);
  }
}
