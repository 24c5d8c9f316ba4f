import type { DataSource } from "typeorm";
import type { ColumnSet } from "../column/column-metadata.js";
import { noteStorages } from "../column/known-storages.js";
import { ConfigurationError } from "../errors.js";
import { locationOf } from "../storage/location.js";
import { onFailedStatement } from "./failed-statements.js";
import { FileChanges } from "./file-changes.js";
import { type CleanupSettings, FileCleanup } from "./file-cleanup.js";
import { FileSubscriber } from "./file-subscriber.js";
import { TransactionSubscriber, Transactions } from "./transaction-subscriber.js";

/** What follows the changes of each data source. */
const followed = new WeakMap<DataSource["subscribers"], { settings: CleanupSettings; cleanup: FileCleanup }>();

/**
 * Lets the files of a data source follow what is done to its rows: a commit deletes the replaced file, a rollback the new one.
 * Call it once the data source is initialized. Several `PrivateFiles` of one data source share what it sets up.
 *
 * Its subscribers come first, so that another subscriber that throws does not keep an outcome from them.
 *
 * @throws ConfigurationError when another call gave a column another storage.
 */
export function followChanges(dataSource: DataSource, columns: ColumnSet, settings: CleanupSettings): FileCleanup {
  const known = followed.get(dataSource.subscribers);
  if (known) {
    assertSameStorages(columns, known.settings, settings);
    return known.cleanup;
  }
  const cleanup = new FileCleanup(settings);
  const changes = new FileChanges(settings.storages);
  const transactions = new Transactions(cleanup);
  const entities = dataSource.entityMetadatas.filter((entity) => columns.ofRows(entity).length > 0);
  const statements = new TransactionSubscriber(transactions, changes);
  dataSource.subscribers.unshift(
    statements,
    ...entities.map((entity) => new FileSubscriber(entity, columns, changes, transactions)),
  );
  onFailedStatement(dataSource, statements.failed);
  for (const column of columns) column.follow();
  followed.set(dataSource.subscribers, { settings, cleanup });
  noteStorages(settings.storages);
  return cleanup;
}

function assertSameStorages(columns: ColumnSet, { storages }: CleanupSettings, given: CleanupSettings): void {
  const other = [...columns].find(
    (column) => locationOf(storages.storageOf(column)) !== locationOf(given.storages.storageOf(column)),
  );
  if (!other) return;
  throw new ConfigurationError(
    `${other.subject}: another PrivateFiles of the same data source keeps its files elsewhere. Give both the same storage.`,
  );
}
