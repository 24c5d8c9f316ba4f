import type { EntityManager, EntityMetadata } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { isInexpressible } from "./dialect.js";

/** How many keys one statement asks for: every database takes as many parameters. */
const BATCH = 500;

/** A column of the database that may name keys. */
export interface KeyColumn {
  /** The entity whose rows are all rows of the table: with single table inheritance the topmost parent. */
  entity: EntityMetadata;
  /** The property's path in that entity. */
  propertyPath: string;
}

/** The columns of the database behind some columns of entities, each once: children of one table share theirs. */
export function keyColumns(columns: Iterable<PrivateColumn>): KeyColumn[] {
  const found = new Map<string, KeyColumn>();
  for (const { entity, column } of columns) {
    const root = rootOf(entity);
    found.set(`${root.tablePath}\0${column.databasePath}`, { entity: root, propertyPath: column.propertyPath });
  }
  return [...found.values()];
}

/**
 * Asks the database which of some keys any row names, soft-deleted rows included. Costs one SELECT for each column of the
 * database and 500 keys, which reads the whole table where the column has no index.
 */
export async function namedKeys(manager: EntityManager, columns: KeyColumn[], keys: string[]): Promise<Set<string>> {
  const named = new Set<string>();
  for (let start = 0; start < keys.length; start += BATCH) {
    const batch = keys.slice(start, start + BATCH);
    for (const column of columns) {
      for (const { key } of await rowsNaming(manager, column, batch)) named.add(key);
    }
  }
  return named;
}

/** One key that a column's character set can't express must not hide the others. */
async function rowsNaming(manager: EntityManager, column: KeyColumn, keys: string[]): Promise<{ key: string }[]> {
  try {
    return await selectNaming(manager, column, keys);
  } catch (error) {
    if (!isInexpressible(error)) throw error;
    if (keys.length === 1) return [];
    const middle = Math.ceil(keys.length / 2);
    const first = await rowsNaming(manager, column, keys.slice(0, middle));
    return [...first, ...(await rowsNaming(manager, column, keys.slice(middle)))];
  }
}

function selectNaming(manager: EntityManager, { entity, propertyPath }: KeyColumn, keys: string[]) {
  return manager
    .createQueryBuilder(entity.target, "entity")
    .withDeleted()
    .select(`entity.${propertyPath}`, "key")
    .where(`entity.${propertyPath} IN (:...keys)`, { keys })
    .cache(false)
    .getRawMany<{ key: string }>();
}

/** The entity whose rows are all rows of an entity's table. */
export function rootOf(entity: EntityMetadata): EntityMetadata {
  return entity.parentEntityMetadata ? rootOf(entity.parentEntityMetadata) : entity;
}
