import type { ObjectLiteral } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { onPrimary } from "../database/committed-reads.js";
import { keyColumns, namedKeys } from "../database/named-keys.js";
import { PrivateFileError } from "../errors.js";
import { alreadyInARow } from "../lifecycle/file-errors.js";
import { uploadedFile } from "../lifecycle/uploads.js";
import { quoted } from "../quoted.js";
import { assertKey, isOurs } from "../storage/key.js";
import type { Assigned } from "./attach.js";

/**
 * Puts an object that is in the column's storage already into the entity, which the caller then saves.
 *
 * @throws InvalidKeyError for a text that is no key.
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_MISSING` when the storage has no such object, and with
 * `ERR_PRIVATE_FILE_OTHER_ROW` when this package wrote it and a row has it.
 */
export async function adopt(
  column: PrivateColumn,
  storages: ColumnStorages,
  entity: ObjectLiteral,
  key: string,
): Promise<Assigned> {
  assertKey(key);
  column.assertFits(key);
  const storage = storages.storageOf(column);
  if (!(await storage.stat(key))) {
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_MISSING",
      `${column.subject}: the storage has no object ${quoted(key)}. Put it there before you adopt it.`,
    );
  }
  if (isOurs(key)) {
    const columns = keyColumns(storages.storages.flatMap((one) => storages.columnsOn(one)));
    const named = await onPrimary(column.entity.dataSource, (runner) => namedKeys(runner, columns, [key]));
    if (named.has(key)) throw alreadyInARow(column);
  }
  const file = uploadedFile(key, column.uploadTarget(storage), true);
  return { file, replaced: column.assign(entity, file, { name: null }) };
}
