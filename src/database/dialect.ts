import type { DataSource, EntityMetadata } from "typeorm";

/** Whether a data source is SQLite in any of its guises: one connection and one query runner for all. */
export function isSqlite(dataSource: DataSource): boolean {
  return /sqlite|sqljs|expo|capacitor|cordova|nativescript|react-native/.test(dataSource.options.type);
}

/** Whether a data source is MySQL or MariaDB. */
export function isMysql(dataSource: DataSource): boolean {
  return ["mysql", "mariadb", "aurora-mysql"].includes(dataSource.options.type);
}

/** Whether a data source is PostgreSQL or speaks its language. */
export function isPostgres(dataSource: DataSource): boolean {
  return ["postgres", "cockroachdb", "aurora-postgres"].includes(dataSource.options.type);
}

/** The name of an entity's table as SQL writes it, for PostgreSQL's `to_regclass`. */
export function escapedTable(dataSource: DataSource, { schema, tableName }: EntityMetadata): string {
  return [schema, tableName].flatMap((name) => (name ? dataSource.driver.escape(name) : [])).join(".");
}

/** How a row is locked that others must not change meanwhile; `undefined` where the database has no locks of rows. */
export function rowLock(dataSource: DataSource): "for_no_key_update" | "pessimistic_write" | undefined {
  if (isSqlite(dataSource) || dataSource.options.type === "spanner") return undefined;
  // As UPDATE itself does it: a stronger lock would wait for those who insert rows that refer to this one.
  return isPostgres(dataSource) ? "for_no_key_update" : "pessimistic_write";
}

/** MariaDB and MySQL have a code each for two, three and more texts in one comparison. */
const INEXPRESSIBLE = new Set([
  "ER_CANT_AGGREGATE_2COLLATIONS",
  "ER_CANT_AGGREGATE_3COLLATIONS",
  "ER_CANT_AGGREGATE_NCOLLATIONS",
  "ER_CANNOT_CONVERT_STRING",
  "22P05",
]);

/** Whether an error says that a text has characters which the character set of a column does not have: no row can have it. */
export function isInexpressible(error: unknown): boolean {
  return error instanceof Error && "code" in error && INEXPRESSIBLE.has(String(error.code));
}
