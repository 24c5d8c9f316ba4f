import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { QueryRunner } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { type Origin, originOf, withOrigin } from "../column/private-file.js";
import { onPrimary, readCommitted } from "../database/committed-reads.js";
import { keyColumns, namedKeys } from "../database/named-keys.js";
import { locationOf } from "../storage/location.js";
import type { Storage } from "../storage/storage.js";
import type { ChangedObject, FileChange, PendingChanges } from "./pending-changes.js";

/** How many objects are removed at the same time. */
const AT_ONCE = 16;

/** What settling needs to know of a data source. */
export interface SettlingOptions {
  /** Which columns may name a storage's keys. */
  storages: ColumnStorages;
  /** The changes that are still open. */
  pending: PendingChanges;
  /** How many seconds a `save` waits for the storage to remove files. It goes on with that afterwards. */
  timeout: number;
}

/**
 * Removes the files that no row names after a transaction: of the old ones those that were replaced, of the new ones those
 * whose row did not come to be.
 *
 * What TypeORM says of an outcome is not enough to remove a file for: PostgreSQL answers COMMIT of a failed transaction with
 * a rollback and no error, and transactions that share a connection end each other. So the database is asked, on the
 * connection of the transaction; nothing is removed that it names, or when it can't be asked.
 *
 * Never throws: the transaction has ended, and TypeORM would report one that was committed as failed.
 */
export async function settle(options: SettlingOptions, runner: QueryRunner, changes: FileChange[]): Promise<void> {
  const isCertain = ({ done, doubted }: FileChange) => done && !doubted;
  const uncertain = changes.filter((change) => !isCertain(change)).flatMap(({ uploads }) => uploads);
  const others = changes.flatMap(({ replaced, handedOn }) => [...replaced, ...handedOn]);
  markUploads(
    changes.filter(isCertain).flatMap(({ uploads }) => uploads),
    "stored",
  );
  const candidates = options.pending.unused([...uncertain, ...others, ...options.pending.release(changes)]);
  if (candidates.length === 0) return;
  try {
    await removeUnnamed(options, runner, candidates);
  } catch (error) {
    warn("Files of a transaction could not be looked up", error);
  }
}

async function removeUnnamed(
  options: SettlingOptions,
  runner: QueryRunner,
  candidates: ChangedObject[],
): Promise<void> {
  const uploads = candidates.filter(({ file }) => file && originOf(file) === "attached");
  markUploads(uploads, "discarded");
  await writeOut(runner);
  // No statement is made with these uploads from here on; those that are made already reach the connection before ours.
  await setImmediate();
  const named = await askWhichAreNamed(options, runner, candidates);
  if (!named) return;
  markUploads(uploads.filter(named), "stored");
  const unnamed = options.pending.unused(candidates.filter((candidate) => !named(candidate)));
  await waitAtMost(options.timeout, removeAll(unnamed));
}

/**
 * TypeORM has sql.js write the database's file only after it has told of a commit. Until then a crash would bring back a row
 * that names what is to be removed. `flush` does nothing when it comes again.
 */
async function writeOut(runner: QueryRunner & { flush?(): Promise<void> }): Promise<void> {
  if (!runner.isTransactionActive) await runner.flush?.();
}

/** `undefined` where another transaction of the same connection has begun: the question is its end's then. */
async function askWhichAreNamed(
  { storages, pending }: SettlingOptions,
  runner: QueryRunner,
  candidates: ChangedObject[],
): Promise<((object: ChangedObject) => boolean) | undefined> {
  const ask = (open: QueryRunner) => readCommitted(open, () => namedAmong(storages, open, candidates));
  for (;;) {
    const named = await onConnection(runner, ask);
    if (named) return named;
    if (runner.isTransactionActive) {
      pending.postpone(runner, candidates);
      return undefined;
    }
  }
}

function markUploads(uploads: ChangedObject[], origin: Origin): void {
  for (const { file } of uploads) if (file) withOrigin(file, origin);
}

/** Another subscriber that throws ends the wait for us, and TypeORM gives the connection back. */
async function onConnection<T>(runner: QueryRunner, asking: (open: QueryRunner) => Promise<T>): Promise<T> {
  return runner.isReleased ? onPrimary(runner.dataSource, asking) : asking(runner);
}

async function namedAmong(
  storages: ColumnStorages,
  runner: QueryRunner,
  candidates: ChangedObject[],
): Promise<(object: ChangedObject) => boolean> {
  const named = new Map<string | Storage, Set<string>>();
  for (const location of new Set(candidates.map(({ storage }) => locationOf(storage)))) {
    const objects = candidates.filter(({ storage }) => locationOf(storage) === location);
    const columns = keyColumns(storages.columnsOn(objects[0]!.storage));
    named.set(location, await namedKeys(runner.manager, columns, [...new Set(objects.map(({ key }) => key))]));
  }
  return ({ storage, key }) => named.get(locationOf(storage))?.has(key) ?? true;
}

async function waitAtMost(seconds: number, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([work, late]);
  enough.abort();
}

async function removeAll(objects: ChangedObject[]): Promise<void> {
  for (let start = 0; start < objects.length; start += AT_ONCE) {
    await Promise.all(objects.slice(start, start + AT_ONCE).map(remove));
  }
}

async function remove({ storage, key }: ChangedObject): Promise<void> {
  try {
    await storage.delete(key);
  } catch (error) {
    warn("A file that no row names any more could not be removed", error);
  }
}

function warn(what: string, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `${what}: ${reason.replace(/[.\s]*$/, ".")} A sweep finds what is left.`;
  const warning = { name: "PrivateFileWarning", code: "ERR_PRIVATE_FILE_STORAGE" };
  process.emitWarning(Object.assign(new Error(message, { cause }), warning));
}
