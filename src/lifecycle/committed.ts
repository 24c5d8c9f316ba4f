import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, QueryRunner } from "typeorm";
import { isSqlite } from "../column/database-kind.js";
import { PrivateFileError } from "../errors.js";

/** How many seconds a transaction of the one connection of SQLite is waited for. */
const PATIENCE = 60;

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
 * Reads what is committed. All of SQLite's work shares one connection, which sees a transaction's changes before their
 * outcome is known: a row may seem to be gone that a rollback brings back. So this waits until none is open.
 *
 * @throws PrivateFileError when one is open for a minute, such as that of the caller.
 */
export async function onCommitted<T>(dataSource: DataSource, read: (runner: QueryRunner) => Promise<T>): Promise<T> {
  return onPrimary(dataSource, async (runner) => {
    if (!isSqlite(dataSource)) return read(runner);
    for (const deadline = performance.now() + PATIENCE * 1000; performance.now() < deadline; await sleep(5)) {
      if (runner.isTransactionActive) continue;
      const result = await read(runner);
      if (!runner.isTransactionActive) return result;
    }
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_FAILED",
      `PrivateFiles: a transaction has been open for ${PATIENCE} seconds. Sweep outside of transactions, and end each.`,
    );
  });
}
