import type { EntityMetadata, QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import { isMysql, isPostgres, isSqlite } from "../database/dialect.js";

/** A column of the database, as its catalogue describes it. */
export interface CataloguedColumn {
  /** Whether it is a table's or a view's. */
  kind: "table" | "view" | "materialized view";
  /** How many characters it takes. Infinity where no limit is known. */
  length: number;
  /** Whether an index begins with it. */
  isIndexed: boolean;
  /** The character set in which it keeps texts. `undefined` where all have one that holds every text. */
  charset?: string;
}

/**
 * Looks a column up in the database's catalogue. TypeORM's own reading of it knows no views, needs rights that an application has no
 * other use for, and gives the columns of PostgreSQL's indexes in another order.
 *
 * @returns `undefined` where the catalogue does not show the column to this user, or is another database's than those known here.
 */
export async function lookUp(runner: QueryRunner, column: PrivateColumn): Promise<CataloguedColumn | undefined> {
  const { entity, column: metadata } = column;
  const row = await (lookUpIn(runner)?.(runner, entity, metadata.databaseName) ?? Promise.resolve(undefined));
  return row && { ...row, length: Number(row.length ?? Number.POSITIVE_INFINITY), isIndexed: Boolean(row.isIndexed) };
}

type LookUp = (runner: QueryRunner, entity: EntityMetadata, column: string) => Promise<Row | undefined>;

interface Row extends Pick<CataloguedColumn, "kind" | "charset"> {
  length?: number | string | null;
  isIndexed: boolean | number | string;
}

function lookUpIn(runner: QueryRunner): LookUp | undefined {
  const dataSource = dataSourceOf(runner);
  if (isPostgres(dataSource)) return inPostgres;
  if (isMysql(dataSource)) return inMysql;
  return isSqlite(dataSource) ? inSqlite : undefined;
}

/** Of a `varchar` the modifier is its length and 4. */
async function inPostgres(runner: QueryRunner, entity: EntityMetadata, column: string): Promise<Row | undefined> {
  const [row] = await runner.query(
    `SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
        CASE WHEN atttypid = 'varchar'::regtype AND atttypmod > 4 THEN atttypmod - 4 END AS length,
        EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indkey[0] = attnum AND indisvalid) AS "isIndexed",
        current_setting('server_encoding') AS charset
      FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_attribute ON attrelid = pg_class.oid AND attname = $2
      WHERE relname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND CASE WHEN $3::text IS NULL THEN pg_table_is_visible(pg_class.oid) ELSE nspname = $3 END`,
    [entity.tableName, column, entity.schema ?? null],
  );
  return row;
}

async function inMysql(runner: QueryRunner, entity: EntityMetadata, column: string): Promise<Row | undefined> {
  const [row] = await runner.query(
    `SELECT IF(TABLE_TYPE LIKE '%VIEW', 'view', 'table') AS kind, CHARACTER_MAXIMUM_LENGTH AS length,
        CHARACTER_SET_NAME AS charset,
        EXISTS (SELECT 1 FROM information_schema.STATISTICS AS s WHERE s.TABLE_SCHEMA = c.TABLE_SCHEMA
          AND s.TABLE_NAME = c.TABLE_NAME AND s.COLUMN_NAME = c.COLUMN_NAME AND s.SEQ_IN_INDEX = 1) AS isIndexed
      FROM information_schema.COLUMNS AS c JOIN information_schema.TABLES AS t USING (TABLE_SCHEMA, TABLE_NAME)
      WHERE TABLE_SCHEMA = coalesce(?, DATABASE()) AND TABLE_NAME = ? AND COLUMN_NAME = ?`,
    [entity.database ?? null, entity.tableName, column],
  );
  return row;
}

/** SQLite takes no notice of lengths. */
async function inSqlite(runner: QueryRunner, entity: EntityMetadata, column: string): Promise<Row | undefined> {
  const schema = entity.tablePath.includes(".") ? entity.tablePath.split(".")[0]! : "main";
  const [row] = await runner.query(
    `SELECT type AS kind, EXISTS (SELECT 1 FROM pragma_index_list(master.name, ?) AS list
        JOIN pragma_index_info(list.name, ?) AS info ON info.seqno = 0 WHERE info.name = ?) AS isIndexed
      FROM ${dataSourceOf(runner).driver.escape(schema)}.sqlite_master AS master
      WHERE type IN ('table', 'view') AND name = ?`,
    [schema, schema, column, entity.tableName],
  );
  return row;
}
