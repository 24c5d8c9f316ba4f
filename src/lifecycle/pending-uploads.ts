import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { PrivateFileError } from "../errors.js";

/** The columns of each entity whose next file is still on its way, as often as one is. */
const pending = new WeakMap<ObjectLiteral, PrivateColumn[]>();

/** Remembers that a column of an entity gets a file, until that is settled. */
export async function whilePending<T>(entity: ObjectLiteral, column: PrivateColumn, uploading: Promise<T>): Promise<T> {
  const settle = markPending(entity, column);
  try {
    return await uploading;
  } finally {
    settle();
  }
}

/** Remembers that a column of an entity gets a file, until the function is called that it returns. */
export function markPending(entity: ObjectLiteral, column: PrivateColumn): () => void {
  const columns = pending.get(entity) ?? [];
  pending.set(entity, columns);
  columns.push(column);
  return () => void columns.splice(columns.indexOf(column), 1);
}

/**
 * A row that is written before its file is there would be saved without it.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_PENDING` when a column of the entity is about to get a file.
 */
export function assertNonePending(entity: ObjectLiteral): void {
  const [column] = pending.get(entity) ?? [];
  if (!column) return;
  throw new PrivateFileError(
    "ERR_PRIVATE_FILE_PENDING",
    `${column.subject}: the entity was saved before its file was there. Write "await" before attach, copy or adopt.`,
  );
}
