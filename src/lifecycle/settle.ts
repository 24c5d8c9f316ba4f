import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { QueryRunner } from "typeorm";
import { originOf, withOrigin } from "../column/private-file.js";
import type { Storage } from "../storage/storage.js";
import type { ColumnStorages } from "./column-storages.js";
import { keyColumns, namedKeys } from "./named-keys.js";
import type { FileChange, PendingChanges, PendingUpload, StoredKey } from "./pending-changes.js";

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
export async function settle(
  options: SettlingOptions,
  runner: QueryRunner,
  changes: FileChange[],
  committed: boolean,
): Promise<void> {
  const uncertain: PendingUpload[] = [];
  for (const { uploads, done, doubted } of changes) {
    if (!committed || !done || doubted) uncertain.push(...uploads);
    else for (const { file } of uploads) withOrigin(file, "stored");
  }
  options.pending.release(changes);
  const unused = (stored: StoredKey) => !options.pending.isUsed(stored);
  const uploads = uncertain.filter(unused);
  const candidates = [...uploads, ...changes.flatMap(({ replaced }) => replaced).filter(unused)];
  if (candidates.length === 0) return;
  try {
    await removeUnnamed(options, runner, uploads, candidates);
  } catch (error) {
    warn("Files of a transaction could not be looked up", error);
  }
}

async function removeUnnamed(
  options: SettlingOptions,
  runner: QueryRunner,
  uploads: PendingUpload[],
  candidates: StoredKey[],
): Promise<void> {
  const discarded = uploads.filter(({ file }) => originOf(file) === "attached");
  for (const { file } of discarded) withOrigin(file, "discarded");
  // No statement is made with these uploads from here on; those that are made already reach the connection before ours.
  await setImmediate();
  const named = await onConnection(runner, (open) => namedAmong(options.storages, open, candidates));
  for (const upload of discarded) if (named(upload)) withOrigin(upload.file, "stored");
  const unnamed = candidates.filter((stored) => !named(stored) && !options.pending.isUsed(stored));
  await waitAtMost(options.timeout, removeAll(unnamed));
}

/** Another subscriber that throws ends the wait for us, and TypeORM gives the connection back. */
async function onConnection<T>(runner: QueryRunner, asking: (open: QueryRunner) => Promise<T>): Promise<T> {
  if (!runner.isReleased) return asking(runner);
  const another = runner.dataSource.createQueryRunner("master");
  try {
    return await asking(another);
  } finally {
    await another.release();
  }
}

async function namedAmong(
  storages: ColumnStorages,
  runner: QueryRunner,
  candidates: StoredKey[],
): Promise<(stored: StoredKey) => boolean> {
  const named = new Map<Storage, Set<string>>();
  for (const storage of new Set(candidates.map((candidate) => candidate.storage))) {
    const keys = candidates.filter((candidate) => candidate.storage === storage).map(({ key }) => key);
    named.set(storage, await namedKeys(runner.manager, keyColumns(storages.columnsOn(storage)), [...new Set(keys)]));
  }
  return ({ storage, key }) => named.get(storage)?.has(key) ?? true;
}

async function waitAtMost(seconds: number, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([work, late]);
  enough.abort();
}

async function removeAll(objects: StoredKey[]): Promise<void> {
  for (let start = 0; start < objects.length; start += AT_ONCE) {
    await Promise.all(objects.slice(start, start + AT_ONCE).map(remove));
  }
}

async function remove({ storage, key }: StoredKey): Promise<void> {
  try {
    await storage.delete(key);
  } catch (error) {
    warn("A file that no row names any more could not be removed", error);
  }
}

function warn(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(`${what}: ${reason.replace(/[.\s]*$/, ".")} A sweep finds what is left.`, {
    type: "PrivateFileWarning",
    code: "ERR_PRIVATE_FILE_STORAGE",
  });
}
