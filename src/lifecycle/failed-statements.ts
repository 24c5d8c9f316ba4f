import type { DataSource, QueryRunner } from "typeorm";

/** Is called with a statement that failed, and with the error as the driver threw it. */
export type FailureListener = (
  runner: QueryRunner,
  statement: { query: string; parameters?: unknown },
  error: unknown,
) => Promise<void> | undefined;

/** The drivers whose query runners send no `afterQuery` for a failed statement: better-sqlite3 before TypeORM 1.1, and Expo. */
const WITHOUT_FAILURE_EVENT = ["better-sqlite3", "expo"];

/**
 * Calls a listener for each failed statement of a data source whose driver may send no `afterQuery` for it. With other drivers it does
 * nothing.
 */
export function onFailedStatement({ driver, options }: DataSource, listener: FailureListener): void {
  if (!WITHOUT_FAILURE_EVENT.includes(options.type)) return;
  const known = listeners.get(driver);
  listeners.set(driver, listener);
  if (known) return;
  const create = driver.createQueryRunner.bind(driver);
  driver.createQueryRunner = (mode) => listenTo(create(mode), driver);
  // Somebody may have the query runner already.
  driver.createQueryRunner("master");
}

/** The latest listener of each driver: a data source that is initialized again has the same driver. */
const listeners = new WeakMap<DataSource["driver"], FailureListener>();
const heard = new WeakSet<QueryRunner>();

/** These drivers give the same query runner again and again. */
function listenTo(runner: QueryRunner, driver: DataSource["driver"]): QueryRunner {
  if (heard.has(runner)) return runner;
  heard.add(runner);
  const query = runner.query.bind(runner);
  const listening = async (text: string, parameters?: unknown[], useStructuredResult?: boolean) => {
    try {
      return await query(text, parameters, useStructuredResult as true);
    } catch (error) {
      await listeners.get(driver)!(runner, { query: text, parameters }, driverError(error));
      throw error;
    }
  };
  runner.query = listening as QueryRunner["query"];
  return runner;
}

function driverError(error: unknown): unknown {
  return (error as { driverError?: unknown } | undefined)?.driverError ?? error;
}
