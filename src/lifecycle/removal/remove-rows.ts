import type { DataSource, EntityManager, EntityMetadata, EntityTarget, ObjectLiteral } from "typeorm";
import type { ColumnSet } from "../../column/column-metadata.js";
import { dataSourceOf } from "../../column/data-source.js";
import { isSqlite } from "../../database/dialect.js";
import { ConfigurationError } from "../../errors.js";
import { FileCascades } from "./cascades.js";
import { checkRemoveOptions, type RemoveOptions } from "./removal-options.js";
import { firstRows, matchingRows, type Row } from "./row-queries.js";
import { assertOthers, isLast, RowRemoval } from "./row-removal.js";

/**
 * Removes the rows that criteria match, page by page, each in a transaction. Their files follow as with TypeORM's `remove`.
 *
 * @returns how many rows of the entity were removed.
 */
export async function removeRows(
  dataSource: DataSource,
  columns: ColumnSet,
  target: EntityTarget<ObjectLiteral>,
  criteria: unknown,
  options: RemoveOptions,
): Promise<number> {
  checkRemoveOptions(dataSource, options);
  const entity = removableEntity(dataSource, target);
  const query = matchingRows(dataSource, entity, criteria);
  const cascades = new FileCascades(dataSource.entityMetadatas, columns);
  const { manager = dataSource.manager, signal } = options;
  let count = 0;
  for (let [isDone, missed]: [boolean, Row[]] = [false, []]; !isDone; ) {
    signal?.throwIfAborted();
    await inTransaction(manager, async (transaction) => {
      const page = await firstRows(transaction, entity, query);
      assertOthers(entity, page, missed);
      const removal = new RowRemoval(transaction, entity, cascades, signal);
      missed = page.length > 0 ? await removal.remove(entity, page) : [];
      isDone = isLast(page, missed);
      count += removal.count;
    });
  }
  return count;
}

/**
 * SQLite has one connection, on which TypeORM confuses transactions that begin while others are open. So removals there take turns, and open no
 * savepoint in a transaction of the caller.
 */
async function inTransaction(
  manager: EntityManager,
  work: (transaction: EntityManager) => Promise<void>,
): Promise<void> {
  const dataSource = dataSourceOf(manager);
  if (!isSqlite(dataSource)) return manager.transaction(work);
  if (manager.queryRunner?.isTransactionActive) return work(manager);
  const turn = (turns.get(dataSource) ?? Promise.resolve()).then(() => manager.transaction(work));
  turns.set(
    dataSource,
    turn.catch(() => {}),
  );
  return turn;
}

const turns = new WeakMap<DataSource, Promise<void>>();

/** @throws ConfigurationError for one that the data source does not have, and for one without a primary key. */
function removableEntity(dataSource: DataSource, target: EntityTarget<ObjectLiteral>): EntityMetadata {
  if (!dataSource.hasMetadata(target)) {
    throw new ConfigurationError(
      "PrivateFiles.remove: the data source does not have this entity. Give an entity class, an EntitySchema or a name of its entities.",
    );
  }
  const entity = dataSource.getMetadata(target);
  if (entity.primaryColumns.length > 0) return entity;
  throw new ConfigurationError(
    `PrivateFiles.remove: ${entity.name} does not have a primary key, so its rows can't be told apart. Remove the rows of its tables.`,
  );
}
