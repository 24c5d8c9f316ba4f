import type { EntityMetadata, QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import { isInexpressible, isMysql } from "./dialect.js";

/** How many parameters one statement has: every database takes as many. */
const PARAMETERS = 500;

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

/** The columns of entities that are a column of the database: with single table inheritance one for each class that has it. */
export function columnsBehind(columns: Iterable<PrivateColumn>, { entity, propertyPath }: KeyColumn): PrivateColumn[] {
  const { databasePath } = entity.findColumnWithPropertyPath(propertyPath)!;
  return [...columns].filter(({ place }) => place === `${entity.tablePath}\0${databasePath}`);
}

/**
 * Asks the database which of some keys any row names, soft-deleted rows included. Costs one statement, which is one snapshot, for
 * 500 keys divided by the number of columns; it reads the whole table where a column has no index.
 */
export async function namedKeys(runner: QueryRunner, columns: KeyColumn[], keys: string[]): Promise<Set<string>> {
  const named = new Set<string>();
  const size = Math.max(1, Math.floor(PARAMETERS / Math.max(1, columns.length)));
  for (let start = 0; columns.length > 0 && start < keys.length; start += size) {
    for (const key of await select(runner, columns, keys.slice(start, start + size))) named.add(key);
  }
  return named;
}

/** One key that a column's character set can't express must not hide the others, nor those of another column. */
async function select(runner: QueryRunner, columns: KeyColumn[], keys: string[]): Promise<string[]> {
  try {
    return await union(runner, columns, keys);
  } catch (error) {
    if (!isInexpressible(error)) throw error;
    if (columns.length === 1 && keys.length === 1) return [];
    const parts: [KeyColumn[], string[]][] =
      columns.length > 1
        ? columns.map((column) => [[column], keys])
        : [keys.slice(0, keys.length / 2), keys.slice(keys.length / 2)].map((half) => [columns, half]);
    const named: string[] = [];
    for (const [some, half] of parts) named.push(...(await select(runner, some, half)));
    return named;
  }
}

/** TypeORM has no UNION, so its own SELECTs are put together. */
async function union(runner: QueryRunner, columns: KeyColumn[], keys: string[]): Promise<string[]> {
  const parameters: unknown[] = [];
  const parts = columns.map((column) => {
    const [sql, values] = selectNaming(runner, column, keys).getQueryAndParameters();
    const offset = parameters.length;
    parameters.push(...values);
    // A quoted name may have a dollar and a digit as well.
    return sql.replace(/"[^"]*"|\$(\d+)/g, (text, number?: string) =>
      number === undefined ? text : `$${Number(number) + offset}`,
    );
  });
  const rows: { key: string | Uint8Array }[] = await runner.query(parts.join(" UNION ALL "), parameters);
  return rows.map(({ key }) => (typeof key === "string" ? key : Buffer.from(key).toString()));
}

function selectNaming(runner: QueryRunner, { entity, propertyPath }: KeyColumn, keys: string[]) {
  const path = `entity.${propertyPath}`;
  // There, columns of different collations can't be parts of one UNION.
  const key = isMysql(dataSourceOf(runner)) ? `CAST(CONVERT(${path} USING utf8mb4) AS BINARY)` : path;
  return runner.manager
    .createQueryBuilder(entity.target, "entity")
    .withDeleted()
    .select(key, "key")
    .where(`${path} IN (:...keys)`, { keys });
}

/** The entity whose rows are all rows of an entity's table. */
export function rootOf(entity: EntityMetadata): EntityMetadata {
  return entity.parentEntityMetadata ? rootOf(entity.parentEntityMetadata) : entity;
}
