import { types } from "node:util";
import { StorageError } from "../errors.js";
import { shown, visible } from "../quoted.js";
import { leaveUnawaited } from "../unawaited.js";
import type { OpenObject, StoredObject } from "./storage.js";

/**
 * Makes sure that what a storage says of an object can be sent: a size that is not a number would break the sums of all downloads.
 *
 * @throws StorageError for anything else than a size of whole bytes and a valid date, and for an `etag` that is not a text.
 */
export function assertStoredObject(key: string, object: unknown): asserts object is StoredObject {
  if (typeof object !== "object" || object === null) throw wrong(key, "an object", object);
  const { size, modifiedAt, etag } = object as Record<keyof StoredObject, unknown>;
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw wrong(key, 'a "size" in whole bytes', size);
  if (!types.isDate(modifiedAt) || Number.isNaN(modifiedAt.getTime())) {
    throw wrong(key, 'a valid Date as "modifiedAt"', modifiedAt);
  }
  if (etag !== undefined && typeof etag !== "string") throw wrong(key, 'a text as "etag"', etag);
}

/** @throws StorageError for an object that can't be read or closed. */
export function assertOpenObject(key: string, open: OpenObject): void {
  const { read, close, path } = open as { [K in keyof OpenObject]?: unknown };
  for (const [name, method] of Object.entries({ read, close })) {
    if (typeof method !== "function") throw wrong(key, `a function "${name}"`, method);
  }
  if (path !== undefined && typeof path !== "string") throw wrong(key, 'a text as "path"', path);
}

/** Closes an object that nobody waits for any more: what closing it throws must not end the process. */
export function closeQuietly(open: OpenObject): void {
  void (async () => open.close())().catch(() => {});
}

function wrong(key: string, wanted: string, got: unknown): StorageError {
  leaveUnawaited(got);
  const message = `${visible(key)}: its storage must give ${wanted}, got ${shown(got)}. Correct the storage.`;
  return new StorageError(message, key);
}
