import type { ObjectLiteral } from "typeorm";
import type { ColumnMetadata, PrivateColumn } from "./private-column.js";

/**
 * Remembers what an entity has in the properties that a new file changes.
 *
 * @returns a function that puts it back.
 */
export function rememberValues(column: PrivateColumn, entity: ObjectLiteral): () => void {
  const columns = [column.column, ...column.fieldColumns.map(([, sibling]) => sibling)];
  const values = columns.map((changed) => ({ changed, value: changed.getEntityValue(entity) }));
  return () => {
    for (const { changed, value } of values) putBack(changed, entity, value);
  };
}

function putBack(column: ColumnMetadata, entity: ObjectLiteral, value: unknown): void {
  if (column.getEntityValue(entity) === value) return;
  try {
    column.setEntityValue(entity, value);
  } catch {
    // A setter that throws may have changed something before. Nothing more can be done, and the first error is the one to tell.
  }
}
