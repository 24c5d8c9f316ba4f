import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import { PrivateFileError } from "../errors.js";
import { isMysql, isSqlite } from "./dialect.js";

/** How many seconds a transaction of the one connection of SQLite is waited for. */
const PATIENCE = 60;

/** How many transactions a query runner has begun. */
const begun = new WeakMap<QueryRunner, number>();

/** Counts a transaction that begins. */
export function noteTransaction(runner: QueryRunner): void {
  begun.set(runner, (begun.get(runner) ?? 0) + 1);
}

/**
 * Reads what is committed; `undefined` when that can't be told from what is not. All of SQLite's work shares one connection,
 * which sees a transaction's changes before their outcome is known: a row may seem to be gone that a rollback brings back.
 */
async function readCommitted<T>(
  runner: QueryRunner,
  read: (runner: QueryRunner) => Promise<T>,
): Promise<T | undefined> {
  const shared = isSqlite(dataSourceOf(runner));
  const before = begun.get(runner);
  if (shared && runner.isTransactionActive) return undefined;
  const result = await read(runner);
  return shared && begun.get(runner) !== before ? undefined : result;
}

/**
 * Reads with several statements as if they were one, so that a value which moves from one table to another meanwhile is seen in one of
 * them. Only for MySQL and MariaDB: elsewhere a single statement has to do.
 */
export async function inOneSnapshot<T>(runner: QueryRunner, read: (runner: QueryRunner) => Promise<T>): Promise<T> {
  if (!isMysql(dataSourceOf(runner))) return read(runner);
  await runner.startTransaction("REPEATABLE READ");
  try {
    return await read(runner);
  } finally {
    await runner.rollbackTransaction();
  }
}

/** Reads on the primary server of a replicated database: a replica may not know the latest rows yet. */
export async function onPrimary<T>(dataSource: DataSource, read: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner("master");
  try {
    return await read(runner);
  } finally {
    await runner.release();
  }
}

/**
 * Reads what is committed, and waits until that can be told.
 *
 * @throws PrivateFileError when transactions are open for a minute, such as that of the caller.
 */
export async function onCommitted<T>(dataSource: DataSource, read: (runner: QueryRunner) => Promise<T>): Promise<T> {
  return onPrimary(dataSource, async (runner) => {
    for (const deadline = performance.now() + PATIENCE * 1000; performance.now() < deadline; await sleep(5)) {
      const result = await readCommitted(runner, read);
      if (result !== undefined) return result;
    }
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_FAILED",
      `PrivateFiles: a transaction has been open for ${PATIENCE} seconds. Sweep outside of transactions, and end each.`,
    );
  });
}
