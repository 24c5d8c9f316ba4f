import type { PrivateColumn } from "../column/private-column.js";
import { inOneSnapshot, onCommitted } from "../database/committed-reads.js";
import { keyColumns, namedKeys } from "../database/named-keys.js";
import { ConfigurationError } from "../errors.js";
import type { ListedObject, Storage } from "../storage/storage.js";
import { assertAllVisible } from "./certainty.js";
import type { KeySet } from "./key-set.js";
import type { OtherNames } from "./other-names.js";
import type { OrphanItem } from "./sweep-options.js";
import { mayHaveMade, type SweepRun } from "./sweep-run.js";

/** How many objects one statement asks for. */
const BATCH = 500;
/** How many are removed at a time. */
const AT_ONCE = 10;

/**
 * Counts the objects of a storage, and marks in `keys` those that a row names.
 *
 * @returns how many may be orphans.
 * @throws ConfigurationError when there are orphans to remove, and not one object that a row names, unless it is forced.
 */
export async function countObjects(run: SweepRun, storage: Storage, keys: KeySet): Promise<number> {
  const columns = run.storages.columnsOn(storage);
  const { report } = run;
  let [listed, candidates] = [0, 0];
  for await (const object of storage.list("")) {
    run.progress("objects", ++listed, keys.size);
    if (keys.see(object.key)) report.named++;
    else if (!run.isOurs(object.key, columns)) report.foreign++;
    else if (run.isYoung(object)) report.young++;
    else candidates++;
  }
  report.listed += listed - candidates;
  if (candidates > 0 && keys.seenCount === 0 && !run.dryRun && !run.options.force)
    throw wrongDatabase(columns, candidates);
  return candidates;
}

/**
 * Finds the objects of a storage that no row names, and removes them unless the run is a dry one. An object that can't be removed is
 * counted, and the others follow.
 *
 * @param expected how many there may be.
 */
export async function removeOrphans(
  run: SweepRun,
  storage: Storage,
  keys: KeySet,
  otherNames: OtherNames,
  expected: number,
): Promise<void> {
  const columns = run.storages.columnsOn(storage);
  let candidates: ListedObject[] = [];
  let done = 0;
  for await (const object of storage.list("")) {
    if (keys.has(object.key) || !run.isOurs(object.key, columns) || run.isYoung(object)) continue;
    run.progress("orphans", ++done, expected);
    run.report.listed++;
    if (await otherNames.include(storage, object.key)) run.report.named++;
    else if (candidates.push(object) === BATCH) {
      await treatAll(run, storage, candidates);
      candidates = [];
    }
  }
  await treatAll(run, storage, candidates);
}

function wrongDatabase(columns: PrivateColumn[], orphans: number): ConfigurationError {
  const subjects = columns.map(({ subject }) => subject).join(", ");
  return new ConfigurationError(
    `PrivateFiles.sweep: no row of ${subjects} names any object of the storage, which has ${orphans} to remove. Look whether this is the right database and the right storage. To remove them all the same, give force: true (the command: --force).`,
  );
}

async function treatAll(run: SweepRun, storage: Storage, candidates: ListedObject[]): Promise<void> {
  run.options.signal?.throwIfAborted();
  if (candidates.length === 0) return;
  // All columns, not only those of this storage: two objects may stand for one bucket.
  const columns = keyColumns(run.storages.columns);
  const keys = candidates.map(({ key }) => key);
  const named = await onCommitted(run.dataSource, async (runner) => {
    // A connection of the pool may have another role than the one that was asked first.
    await assertAllVisible(runner, columns);
    return inOneSnapshot(runner, () => namedKeys(runner, columns, keys));
  });
  run.report.named += candidates.filter(({ key }) => named.has(key)).length;
  const orphans = candidates.filter(({ key }) => !named.has(key));
  for (let start = 0; start < orphans.length; start += AT_ONCE) {
    run.options.signal?.throwIfAborted();
    const items = orphans.slice(start, start + AT_ONCE).map((object) => treat(run, storage, object));
    for (const item of await Promise.all(items)) await count(run, item);
  }
}

/** `undefined` for an object that is another by now. */
async function treat(run: SweepRun, storage: Storage, object: ListedObject): Promise<OrphanItem | undefined> {
  const { key, size, modifiedAt } = object;
  const columns = columnsOf(key, run.storages.columnsOn(storage));
  const item: OrphanItem = { kind: "orphan", key, size, modifiedAt, columns, removed: false };
  if (run.dryRun) return item;
  try {
    const now = await storage.stat(key);
    if (now && run.isYoung(now)) return undefined;
    await storage.delete(key);
    return { ...item, removed: true };
  } catch (error) {
    return { ...item, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function count(run: SweepRun, item: OrphanItem | undefined): Promise<void> {
  const { report } = run;
  if (!item) {
    report.young++;
    return;
  }
  report.orphans++;
  report.bytes += item.size;
  if (item.removed) report.removed++;
  if (item.error) report.failed++;
  await run.found(item);
}

/** The columns whose folder a key is in; all, where it is in none, as when the folder had another name once. */
function columnsOf(key: string, columns: PrivateColumn[]): string[] {
  const likely = columns.filter((column) => mayHaveMade(column, key));
  return (likely.length > 0 ? likely : columns).map(({ subject }) => subject);
}
