import type { QueryRunner } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { dataSourceOf } from "../column/data-source.js";
import type { FileRecord } from "../column/private-file.js";
import { onPrimary } from "../database/committed-reads.js";
import { hasRowSecurity } from "../database/local-visibility.js";
import { type KeyColumn, keyColumns, namedKeys } from "../database/named-keys.js";
import { isOurs } from "../storage/key.js";
import type { FileChange, Outcome, StoredKey } from "./ledger/file-change.js";
import type { Ledger } from "./ledger/ledger.js";
import { deleteAll, waitAtMost, warn } from "./object-deletion.js";

/** How files are cleaned up after transactions. */
export interface CleanupSettings {
  /** Which columns may name a storage's keys. */
  storages: ColumnStorages;
  /** How many seconds a `save` waits for the storage to delete files, which then goes on by itself. */
  timeout: number;
  /** How many seconds an upload may be saved again that no row got. */
  retryFor: number;
}

/**
 * Deletes the files that rows no longer have after a transaction, and the uploads that no row got in time.
 *
 * Only what committed statements took out of their rows is deleted, and only after one more look: before an object is deleted, one
 * statement asks whether any private column names it. Nothing here throws: the transaction has ended, and TypeORM would report
 * one that was committed as failed.
 */
export class FileCleanup {
  /** What waits for the one connection of SQLite to be out of transactions. */
  readonly #waiting = new WeakMap<Ledger, StoredKey[]>();
  /** Which keys were named right before the COMMIT of their transaction, where that was asked. */
  readonly #answers = new WeakMap<Ledger, Map<string, boolean>>();
  readonly #columns: KeyColumn[];

  constructor(private readonly settings: CleanupSettings) {
    this.#columns = keyColumns(settings.storages.columns);
  }

  /**
   * Looks at the rows before COMMIT, where they can't be seen afterwards as the transaction sees them: with PostgreSQL's row-level
   * security, and with a search path of the transaction.
   */
  async beforeCommit(ledger: Ledger, runner: QueryRunner): Promise<void> {
    const keys = keysOf(takenOut(ledger.changes));
    if (keys.length === 0) return;
    try {
      if (!ledger.hasLocalSettings && !(await hasRowSecurity(runner, this.#columns))) return;
      // A question that fails must not fail the transaction.
      await runner.query("SAVEPOINT private_files");
      const named = await namedKeys(runner, this.#columns, keys).catch(() => new Set(keys));
      await runner.query("ROLLBACK TO SAVEPOINT private_files");
      const answers = this.#answers.get(ledger) ?? [];
      this.#answers.set(ledger, new Map([...answers, ...keys.map((key) => [key, named.has(key)] as const)]));
    } catch {
      // The transaction can't be asked any more, so it can't be committed either.
    }
  }

  /** Acts on what is known of ended transactions. */
  settle(ledger: Ledger, runner: QueryRunner): Promise<void> | undefined {
    const outcome = ledger.take();
    if (!outcome && (ledger.isOpen || !this.#waiting.has(ledger))) return undefined;
    if (outcome) markUploads(outcome);
    const answers = this.#answers.get(ledger) ?? new Map<string, boolean>();
    // A transaction may have seen other rows than can be seen afterwards. Then only what was asked before its end is certain.
    const isCertain = ({ key }: StoredKey) => !outcome?.hadLocalSettings || answers.has(key);
    const committed = takenOut(outcome?.committed ?? []).filter(isCertain);
    const objects = committed.concat(this.#waiting.get(ledger) ?? []);
    this.#answers.delete(ledger);
    this.#waiting.delete(ledger);
    if (outcome && !ledger.isOpen) for (const upload of uploadsLeft(outcome)) this.#retire(upload);
    return objects.length > 0 ? this.#deleteUnnamed(ledger, runner, objects, answers) : undefined;
  }

  /** Deletes an upload that no statement has written, unless a row names it all the same. */
  async discard(upload: FileRecord): Promise<void> {
    if (upload.state !== "attached" || upload.isAdopted || upload.isMentioned || !upload.target) return;
    upload.state = "discarded";
    const { key } = upload;
    const { storage, dataSource } = upload.target;
    if (!dataSource.isInitialized) return;
    try {
      const named = await onPrimary(dataSource, (runner) => namedKeys(runner, this.#columns, [key]));
      if (named.has(key)) upload.state = "stored";
      else await deleteAll([{ key, storage }]);
    } catch (error) {
      warn("An upload could not be deleted", error);
    }
  }

  /**
   * Does the same, and waits for it no longer than for other deletions: it needs a connection, which the caller's own transaction
   * may have taken.
   */
  discardInTime(upload: FileRecord): Promise<void> {
    return waitAtMost(this.settings.timeout, this.discard(upload));
  }

  /**
   * Deletes an upload whose request is over. One that a statement is writing is left to it, and deleted as soon as it is known that no row
   * got it.
   */
  giveUp(upload: FileRecord): Promise<void> {
    upload.isGivenUp = true;
    return this.discard(upload);
  }

  #retire(upload: FileRecord): void {
    if (upload.state !== "attached" || upload.isAdopted) return;
    const delay = upload.isGivenUp ? 0 : this.settings.retryFor * 1000;
    const expiresAt = Date.now() + delay;
    upload.expiresAt = expiresAt;
    const discard = () => (upload.expiresAt === expiresAt ? this.discard(upload) : undefined);
    setTimeout(discard, delay).unref();
  }

  async #deleteUnnamed(
    ledger: Ledger,
    runner: QueryRunner,
    objects: StoredKey[],
    answers: Map<string, boolean>,
  ): Promise<void> {
    try {
      const asked = await this.#askAfterwards(
        ledger,
        runner,
        objects.filter(({ key }) => !answers.has(key)),
      );
      const unnamed = objects.filter(({ key }) => answers.get(key) === false || asked?.get(key) === false);
      await waitAtMost(this.settings.timeout, deleteAll(unnamed));
    } catch (error) {
      warn("The rows of a transaction could not be read", error);
    }
  }

  /** `undefined` while another transaction of the same connection is open: what it sees may be taken back. */
  async #askAfterwards(
    ledger: Ledger,
    runner: QueryRunner,
    objects: StoredKey[],
  ): Promise<Map<string, boolean> | undefined> {
    const keys = keysOf(objects);
    if (keys.length === 0) return undefined;
    await writeOut(runner, ledger);
    while (!ledger.isOpen) {
      const { epoch } = ledger;
      const named = await onConnection(runner, (open) => namedKeys(open, this.#columns, keys));
      if (ledger.epoch === epoch) return new Map(keys.map((key) => [key, named.has(key)]));
    }
    this.#waiting.set(ledger, objects.concat(this.#waiting.get(ledger) ?? []));
    return undefined;
  }
}

function markUploads({ committed, undone, unknown }: Outcome): void {
  for (const { upload } of committed) if (upload) Object.assign(upload, { state: "stored", writer: undefined });
  for (const { upload } of undone) if (upload) Object.assign(upload, { state: "attached", writer: undefined });
  for (const { upload, row } of unknown)
    if (upload) Object.assign(upload, { state: "unknown", writer: undefined, row });
}

/** The uploads that were to be written. Where listeners are off, nothing but its statement has told of an upload. */
function uploadsLeft({ announced, undone }: Outcome): Set<FileRecord> {
  return new Set([...announced, ...undone.flatMap(({ upload }) => upload ?? [])]);
}

/** What rows had before, and uploads to rows that were changed twice: which of those a row has, the database knows. */
function takenOut(changes: FileChange[]): StoredKey[] {
  const times = new Map<string, number>();
  for (const { row } of changes) if (row !== undefined) times.set(row, (times.get(row) ?? 0) + 1);
  const objects = changes.flatMap(({ upload, replaced, row }) => [
    ...(replaced ? [replaced] : []),
    ...(upload?.target && row !== undefined && times.get(row)! > 1
      ? [{ key: upload.key, storage: upload.target.storage }]
      : []),
  ]);
  // Our keys are never used twice, and a removal is noted by its statement and by its event.
  return [...new Map(objects.filter(({ key }) => isOurs(key)).map((object) => [object.key, object])).values()];
}

function keysOf(objects: StoredKey[]): string[] {
  return [...new Set(objects.map(({ key }) => key))];
}

/**
 * TypeORM has sql.js write the database's file only after it has told of a commit. Until then a crash would bring back a row
 * that names what is to be deleted. `flush` does nothing when it comes again.
 */
async function writeOut(runner: QueryRunner & { flush?(): Promise<void> }, { isOpen }: Ledger): Promise<void> {
  if (!isOpen) await runner.flush?.();
}

/** Another subscriber that throws ends the wait for us, and TypeORM gives the connection back. */
async function onConnection<T>(runner: QueryRunner, ask: (open: QueryRunner) => Promise<T>): Promise<T> {
  return runner.isReleased ? onPrimary(dataSourceOf(runner), ask) : ask(runner);
}
