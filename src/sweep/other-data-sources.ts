import { resolve } from "node:path";
import type { DataSource, QueryRunner } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { dataSourceOf } from "../column/data-source.js";
import { knownStorages } from "../column/known-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { onPrimary } from "../database/committed-reads.js";
import { escapedTable, isMysql, isSqlite } from "../database/dialect.js";
import { locationOf } from "../storage/location.js";

/**
 * A column of another open data source of this process that keeps its files where `dataSource` does, and whose table `dataSource` does
 * not have as well, so that its rows can't be seen from there. `undefined` where there is none. The databases themselves are asked who
 * they are, if there is such a data source: their addresses may be written in many ways.
 */
export async function columnOfAnotherDataSource(
  dataSource: DataSource,
  storages: ColumnStorages,
): Promise<PrivateColumn | undefined> {
  const locations = new Set(storages.storages.map(locationOf));
  const others = knownStorages()
    .flatMap((known) => known.columns.filter((column) => locations.has(locationOf(known.storageOf(column)))))
    .filter(({ entity }) => dataSourceOf(entity) !== dataSource && dataSourceOf(entity).isInitialized);
  if (others.length === 0) return undefined;
  const own = new Set(await Promise.all(storages.columns.map(placeOf)));
  for (const other of others) if (!own.has(await placeOf(other))) return other;
  return undefined;
}

/** The same text for the same column of the same table. */
function placeOf({ entity, column }: PrivateColumn): Promise<string> {
  return onPrimary(dataSourceOf(entity), async (runner) =>
    JSON.stringify([await databaseOf(runner), await tableOf(runner, entity), column.databaseName]),
  );
}

/** On PostgreSQL the search path may find the table that another data source names with its schema. */
async function tableOf(runner: QueryRunner, entity: PrivateColumn["entity"]): Promise<string> {
  if (dataSourceOf(runner).options.type !== "postgres") return entity.tablePath;
  const path = escapedTable(dataSourceOf(runner), entity);
  const [{ id }] = await runner.query("SELECT to_regclass($1)::oid::text AS id", [path]);
  return String(id);
}

/** What tells a database from every other. */
async function databaseOf(runner: QueryRunner): Promise<unknown> {
  const dataSource = dataSourceOf(runner);
  if (isSqlite(dataSource)) return (await fileOf(runner)) || idOfProcess(dataSource);
  const question = isMysql(dataSource)
    ? "SELECT CONCAT_WS('|', @@hostname, @@port, @@datadir, DATABASE()) AS name"
    : dataSource.options.type === "postgres"
      ? "SELECT concat_ws('|', pg_postmaster_start_time(), oid, datname) AS name FROM pg_database WHERE datname = current_database()"
      : undefined;
  if (!question) return idOfProcess(dataSource);
  const [{ name }] = await runner.query(question);
  return name;
}

/** Empty for a database in memory. sql.js itself knows no files. */
async function fileOf(runner: QueryRunner): Promise<string> {
  const { options } = dataSourceOf(runner);
  if (options.type === "sqljs") return options.location ? resolve(options.location) : "";
  const [{ file }] = await runner.query("PRAGMA database_list");
  return file;
}

const ids = new WeakMap<DataSource, number>();
let lastId = 0;

/** Each database in memory is another, and so is one that can't be asked. */
function idOfProcess(dataSource: DataSource): number {
  const id = ids.get(dataSource) ?? ++lastId;
  ids.set(dataSource, id);
  return id;
}
