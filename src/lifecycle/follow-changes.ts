import type {
  AfterQueryEvent,
  DataSource,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from "typeorm";
import type { ColumnSet } from "../column/column-metadata.js";
import type { ColumnStorages } from "../column/column-storages.js";
import { noteTransaction } from "../database/committed-reads.js";
import { isSqlite } from "../database/dialect.js";
import { ConfigurationError } from "../errors.js";
import { locationOf } from "../storage/location.js";
import { FileSubscriber } from "./file-subscriber.js";
import { ChangeNotes } from "./note-changes.js";
import { type FileChange, PendingChanges } from "./pending-changes.js";
import { type SettlingOptions, settle } from "./settle.js";

/**
 * Lets the files of a data source follow what is done to its rows: on commit the replaced file goes, on rollback the new one.
 * Call it once the data source is initialized. What several `PrivateFiles` of one data source call for is done once.
 *
 * Its subscribers are the first, so that another one that throws does not keep an outcome from them.
 *
 * @throws ConfigurationError when another call gave a column another storage.
 */
export function followChanges(
  dataSource: DataSource,
  columns: ColumnSet,
  storages: ColumnStorages,
  timeout: number,
): void {
  const known = dataSource.subscribers.find((one) => one instanceof OutcomeSubscriber);
  if (known) {
    known.assertSame(columns, storages);
    return;
  }
  const options = { storages, timeout, pending: new PendingChanges() };
  const notes = new ChangeNotes(options);
  const entities = dataSource.entityMetadatas.filter((entity) => columns.ofRows(entity).length > 0);
  dataSource.subscribers.unshift(
    new OutcomeSubscriber(options),
    ...entities.map((entity) => new FileSubscriber(entity, columns, notes)),
  );
}

/**
 * Hears how transactions end, and of statements that fail outside one. TypeORM tells of savepoints as of transactions: they
 * end nothing, but what they take back is taken back.
 */
class OutcomeSubscriber implements EntitySubscriberInterface {
  constructor(private readonly options: SettlingOptions) {}

  beforeTransactionStart({ queryRunner }: TransactionStartEvent): void {
    noteTransaction(queryRunner);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> | undefined {
    const shared = isSqlite(queryRunner.dataSource);
    return this.end(queryRunner, (change) => !shared || !isUnderWay(change));
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> | undefined {
    this.options.pending.doubt(queryRunner);
    return this.end(queryRunner, () => true);
  }

  /**
   * Outside a transaction an upload may be saved again after a statement failed, so it stays. Nothing else tells of the failure,
   * and the values alone whose statement it was: those of others are under way on the same connection.
   */
  afterQuery({ success, parameters, queryRunner }: AfterQueryEvent): void {
    if (success || queryRunner.isTransactionActive) return;
    const values = new Set<unknown>(Object.values(parameters ?? {}));
    const isFailed = ({ uploads }: FileChange) => uploads.some(({ key }) => values.has(key));
    this.options.pending.release(this.options.pending.take(queryRunner, isFailed));
  }

  /** @throws ConfigurationError when a column has another storage here. */
  assertSame(columns: ColumnSet, storages: ColumnStorages): void {
    const other = [...columns].find(
      (column) => locationOf(storages.storageOf(column)) !== locationOf(this.options.storages.storageOf(column)),
    );
    if (!other) return;
    throw new ConfigurationError(
      `${other.subject}: another PrivateFiles of the same data source keeps its files elsewhere. Give both the same storage.`,
    );
  }

  private end(runner: QueryRunner, test: (change: FileChange) => boolean): Promise<void> | undefined {
    if (runner.isTransactionActive) return undefined;
    const changes = this.options.pending.take(runner, test);
    return changes.length > 0 ? settle(this.options, runner, changes) : undefined;
  }
}

/** With one query runner for all, another one's commit may come while a statement is under way. It is waited for once. */
function isUnderWay(change: FileChange): boolean {
  if (change.done || change.leftOver) return false;
  change.leftOver = true;
  return true;
}
