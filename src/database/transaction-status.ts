import type { QueryRunner } from "typeorm";
import { dataSourceOf, type OfDataSource } from "../column/data-source.js";
import { isSqlite } from "./dialect.js";

/**
 * Whether the connection of a query runner is in a transaction, by what its driver tells after a statement; `undefined` where
 * the driver tells nothing.
 *
 * - pg: `getTransactionStatus()`, which repeats what the server said last. On a lost connection it is out of date.
 * - mysql2: `serverStatus` of the answer, whose lowest bit is SERVER_STATUS_IN_TRANS. An error has none.
 * - better-sqlite3: `inTransaction`.
 * - sql.js: nothing.
 *
 * @param raw the answer of the driver.
 */
export function isInTransaction(runner: QueryRunner, raw: unknown): boolean | undefined {
  const { databaseConnection, driver } = runner as unknown as Connections;
  const status = databaseConnection?.getTransactionStatus?.();
  if (status) return status !== "I";
  const flags = (raw as { serverStatus?: number } | undefined)?.serverStatus;
  if (typeof flags === "number") return (flags & 1) === 1;
  return driver?.databaseConnection?.inTransaction;
}

/** Whether the server rolled the whole transaction back when a statement failed: MariaDB and MySQL do so to end a deadlock. */
export function endedByDeadlock(error: unknown): boolean {
  return (error as { errno?: number } | undefined)?.errno === 1213;
}

/**
 * Whether COMMIT was answered with ROLLBACK, as PostgreSQL does after a statement of the transaction has failed. A text of several
 * statements has several answers.
 */
export function isRolledBack(raw: unknown): boolean {
  return [raw].flat().some((answer) => (answer as { command?: string } | undefined)?.command === "ROLLBACK");
}

/** Whether an error is the database's own answer: else the connection was lost, and the statement may have been done. */
export function isAnswer(runner: OfDataSource, error: unknown): boolean {
  const { severity, sqlState } = (error ?? {}) as { severity?: string; sqlState?: string };
  return isSqlite(dataSourceOf(runner)) || severity !== undefined || sqlState !== undefined;
}

/** How many rows the last statement changed; `undefined` where the driver does not tell. */
export function changedRows(runner: QueryRunner, raw: unknown): number | undefined {
  const connection = (runner as unknown as Connections).driver?.databaseConnection;
  if (connection?.getRowsModified) return connection.getRowsModified();
  if (dataSourceOf(runner).options.type === "better-sqlite3")
    return connection?.prepare?.("SELECT changes()").pluck().get();
  // MariaDB answers INSERT … RETURNING with the rows alone.
  if (Array.isArray(raw)) return raw.length;
  const { rowCount, affectedRows } = (raw ?? {}) as { rowCount?: number | null; affectedRows?: number };
  return rowCount ?? affectedRows;
}

interface Connections {
  databaseConnection?: { getTransactionStatus?(): string | null };
  driver?: { databaseConnection?: SqliteConnection };
}

/** What sql.js and better-sqlite3 have of their own. */
interface SqliteConnection {
  inTransaction?: boolean;
  getRowsModified?(): number;
  prepare?(sql: string): { pluck(): { get(): number } };
}
