import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { idText } from "../database/row-keys.js";

/** The same text for the same row. */
export function rowText(column: PrivateColumn, id: ObjectLiteral): string {
  return `${column.entity.tablePath} ${idText(column.entity, id)}`;
}

/** The text of an entity's row; `undefined` while the entity has no primary key. */
export function rowTextOf(column: PrivateColumn, entity: ObjectLiteral): string | undefined {
  const id = column.entity.getEntityIdMap(entity);
  return id && rowText(column, id);
}
