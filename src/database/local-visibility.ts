import type { DataSource, QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import { isPostgres } from "./dialect.js";
import type { KeyColumn } from "./named-keys.js";

const guarded = new WeakMap<DataSource, Promise<boolean>>();

/**
 * Whether which rows a statement sees may depend on its transaction, so that a question about them has to be asked before COMMIT:
 * on PostgreSQL, where a table has row-level security. Asks the database once for each data source.
 */
export function hasRowSecurity(runner: QueryRunner, columns: KeyColumn[]): Promise<boolean> {
  const dataSource = dataSourceOf(runner);
  if (!isPostgres(dataSource)) return Promise.resolve(false);
  const known = guarded.get(dataSource) ?? ask(runner, columns);
  guarded.set(dataSource, known);
  known.catch(() => guarded.delete(dataSource));
  return known;
}

async function ask(runner: QueryRunner, columns: KeyColumn[]): Promise<boolean> {
  const tables = columns.map(({ entity }) => entity.tableName);
  const list = tables.map((_, index) => `$${index + 1}`).join(", ");
  const rows = await runner.query(
    `SELECT 1 FROM pg_class WHERE relrowsecurity AND relname IN (${list}) LIMIT 1`,
    tables,
  );
  return rows.length > 0;
}
