import { type DataSource, type ObjectLiteral, QueryFailedError, type QueryRunner } from "typeorm";
import { dataSourceOf, type OfDataSource } from "../column/data-source.js";
import { onPrimary } from "../database/committed-reads.js";
import { isPostgres, isSqlite } from "../database/dialect.js";
import type { KeyColumn } from "../database/named-keys.js";
import { isAnswer } from "../database/transaction-status.js";
import { visible } from "../quoted.js";

/** Whether a column of the database can be read: it can, it is not there, or the database refuses it for some reason. */
export type Access = "readable" | "TABLE_MISSING" | "COLUMN_MISSING" | Refusal;

/** Why something can't be looked at. */
export interface Refusal {
  /** The database's own words. */
  refusal: string;
}

/** Reads no row of a column, as the application would read it: the catalogue shows not all of them to every user. */
export async function accessTo(runner: QueryRunner, { entity, propertyPath }: KeyColumn): Promise<Access> {
  const query = runner.manager.createQueryBuilder<ObjectLiteral>(entity.target, "entity").withDeleted().cache(false);
  try {
    await query.select(`entity.${propertyPath}`, "key").where("1 = 0").getRawMany();
    return "readable";
  } catch (error) {
    const missing = missingPart(runner, entity, error);
    if (missing === undefined) return refusalOf(runner, error);
    const hiddenSchema = missing === "TABLE_MISSING" ? await schemaOutOfReach(runner, entity) : undefined;
    return hiddenSchema ? { refusal: `permission denied for schema ${hiddenSchema}` } : missing;
  }
}

/** Whether a column of the database can be read. */
export function isReadable(dataSource: DataSource, column: KeyColumn): Promise<boolean> {
  return onPrimary(dataSource, async (runner) => (await accessTo(runner, column)) === "readable");
}

/**
 * The refusal, in the words of the database.
 *
 * @throws the error, where it is not the database's own.
 */
export function refusalOf(runner: OfDataSource, error: unknown): Refusal {
  if (isOfStatement(error) && isAnswer(runner, error)) return { refusal: visible(error.message) };
  throw error;
}

function missingPart(
  runner: QueryRunner,
  { tableName }: KeyColumn["entity"],
  error: unknown,
): "TABLE_MISSING" | "COLUMN_MISSING" | undefined {
  if (!isOfStatement(error)) return undefined;
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { code?: string };
  const said = isSqlite(dataSourceOf(runner)) ? inSqlite(error.message, tableName) : code;
  if (TABLE_MISSING.has(said)) return "TABLE_MISSING";
  return COLUMN_MISSING.has(said) ? "COLUMN_MISSING" : undefined;
}

/** TypeORM 0.3 throws the error of a statement that better-sqlite3 can't prepare as it is. */
function isOfStatement(error: unknown): error is Error {
  return error instanceof QueryFailedError || (error instanceof Error && error.name === "SqliteError");
}

const TABLE_MISSING = new Set<string | undefined>([
  ...["no such table", "ER_NO_SUCH_TABLE", "ER_BAD_DB_ERROR"],
  ...["42P01", "3F000"],
]);
const COLUMN_MISSING = new Set<string | undefined>(["no such column", "ER_BAD_FIELD_ERROR", "42703"]);

/** A view may be there and its table may not. */
function inSqlite(message: string, tableName: string): string | undefined {
  const [said] = /no such (?:table|column)/.exec(message) ?? [];
  return said === "no such table" && !message.endsWith(tableName) ? undefined : said;
}

/** PostgreSQL passes over the schemas of the search path that its user may not use. */
async function schemaOutOfReach(runner: QueryRunner, entity: KeyColumn["entity"]): Promise<string | undefined> {
  if (!isPostgres(dataSourceOf(runner)) || entity.schema) return undefined;
  const [row] = await runner.query(
    `SELECT nspname AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relname = $1 AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE') AND nspname = ANY (
        SELECT trim(both '" ' FROM part) FROM unnest(string_to_array(current_setting('search_path'), ',')) AS part)
      LIMIT 1`,
    [entity.tableName],
  );
  return row?.name;
}
