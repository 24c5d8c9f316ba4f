import { type DataSource, EntityManager, type FindOptionsWhere } from "typeorm";
import { dataSourceOf } from "../../column/data-source.js";
import { ConfigurationError } from "../../errors.js";
import { abortSignal, checkOptions, must, type OptionRules } from "../../options.js";

/**
 * Which rows `remove` removes, as `delete` of TypeORM takes it: a primary key of one column, several, or a condition as `find` takes it,
 * or several of which one has to hold.
 */
export type RemoveCriteria<E> = PrimaryKeyValue | PrimaryKeyValue[] | FindOptionsWhere<E> | FindOptionsWhere<E>[];

/** A primary key of one column. */
export type PrimaryKeyValue = string | number | bigint | Date;

/** Options of `remove`. */
export interface RemoveOptions {
  /**
   * The manager of a transaction of yours, which then decides: a rollback brings all rows back, with their files. Each page is in a
   * savepoint of it, except on SQLite. (default: none; each page is in a transaction of its own)
   */
  manager?: EntityManager;
  /**
   * Ends the removal before the next page, also of rows that go with a row; `remove` then rejects with the signal's reason. Pages that were
   * removed by then stay removed.
   */
  signal?: AbortSignal;
}

/** @throws ConfigurationError for an unknown option, and for a manager of another data source. */
export function checkRemoveOptions(dataSource: DataSource, options: RemoveOptions): void {
  if (options instanceof EntityManager) {
    throw new ConfigurationError(
      "PrivateFiles.remove: the options must be an object, got an EntityManager. Give { manager }.",
    );
  }
  checkOptions("PrivateFiles.remove", options, RULES);
  const { manager } = options;
  if (manager && dataSourceOf(manager) !== dataSource) {
    throw new ConfigurationError(
      "PrivateFiles.remove: the manager belongs to another data source. Give one of a transaction of this data source.",
    );
  }
}

const RULES: OptionRules<RemoveOptions> = {
  manager: must(
    "an EntityManager",
    (value) => value instanceof EntityManager,
    "Give that of a transaction of the data source",
  ),
  signal: abortSignal,
};
