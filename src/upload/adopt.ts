import { setTimeout as sleep } from "node:timers/promises";
import type { ColumnStorages } from "../column/column-storages.js";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import { onPrimary } from "../database/committed-reads.js";
import { keyColumns, namedKeys } from "../database/named-keys.js";
import { PrivateFileError } from "../errors.js";
import { alreadyInARow, isSaving } from "../lifecycle/file-errors.js";
import { uploadedFile, uploadOf } from "../lifecycle/uploads.js";
import { quoted } from "../quoted.js";
import { assertKey, isOurs } from "../storage/key.js";
import { type Assigned, assign, type Destination } from "./store.js";

/**
 * Puts an object that is in the column's storage already into the entity, which the caller then saves.
 *
 * @throws InvalidKeyError for a text that is no key.
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_MISSING` when the storage has no such object, and with
 * `ERR_PRIVATE_FILE_OTHER_ROW` when this package wrote it and a row has it.
 */
export async function adopt(
  destination: Destination,
  { storages, timeout }: { storages: ColumnStorages; timeout: number },
  key: string,
): Promise<Assigned> {
  const { column, storage } = destination;
  assertKey(key);
  column.assertFits(key);
  // A file system may find an object by another Unicode form of its key. A row that has it names it by this package's own form.
  const isOtherForm = isOurs(key) && key !== key.normalize();
  const found = isOtherForm ? undefined : await storage.stat(key);
  if (!found) throw missing(column, key);
  if (isOurs(key)) await assertFree(column, storages, timeout, key);
  const file = uploadedFile(key, column.uploadTarget(storage), true);
  return assign(destination, file, { size: found.size });
}

async function assertFree(column: PrivateColumn, storages: ColumnStorages, timeout: number, key: string) {
  const upload = uploadOf(key);
  if (upload?.state === "written") throw isSaving(false, column);
  if (upload?.state === "discarded") throw missing(column, key);
  const columns = keyColumns(storages.columns);
  const asking = onPrimary(dataSourceOf(column.entity), (runner) => namedKeys(runner, columns, [key]));
  const named = await inTime(column, timeout, asking);
  if (named.has(key)) throw alreadyInARow(column);
  // From now on the object belongs to whoever adopts it: the upload can be neither saved nor deleted.
  if (upload && !upload.isAdopted) Object.assign(upload, { state: "stored", expiresAt: undefined });
}

/** It takes a connection, and the caller's own transaction may have taken the last one. */
async function inTime<T>(column: PrivateColumn, seconds: number, asking: Promise<T>): Promise<T> {
  const enough = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: enough.signal }).then(() => {
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_FAILED",
      `${column.subject}: the database gave no connection within ${seconds} seconds. Call "adopt" before the transaction begins.`,
    );
  });
  late.catch(() => {});
  return Promise.race([asking, late]).finally(() => enough.abort());
}

function missing(column: PrivateColumn, key: string): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_MISSING",
    `${column.subject}: the storage has no object ${quoted(key)}. Put it there before you adopt it.`,
  );
}
