import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { KeyRows } from "../database/key-rows.js";
import { keyColumns } from "../database/named-keys.js";
import { ConfigurationError } from "../errors.js";
import { nestedStorages } from "../storage/nested-storages.js";
import type { Storage } from "../storage/storage.js";
import { KeySet } from "./key-set.js";
import { reportMissing } from "./missing-files.js";
import { assertRightDatabase, removeOrphans } from "./orphans.js";
import type { SweepOptions, SweepReport } from "./sweep-options.js";
import { SweepRun } from "./sweep-run.js";

/**
 * Finds what saves and crashes have left: objects that no row names, and rows whose object is gone. Memory grows with the
 * number of named keys alone, by 27 bytes each at most.
 *
 * The keys that rows name are read first, so that each object is looked up in memory. That says only what may be an orphan:
 * before one is removed, the database is asked again.
 */
export async function sweep(
  dataSource: DataSource,
  storages: ColumnStorages,
  options: SweepOptions,
): Promise<SweepReport> {
  const run = new SweepRun(dataSource, storages, options);
  assertApart(storages.storages);
  const known = new Map<Storage, KeySet>();
  for (const storage of storages.storages) known.set(storage, await readKeys(run, storage));
  if (!run.dryRun && !options.force) {
    for (const [storage, keys] of known) await assertRightDatabase(run, storage, keys);
  }
  for (const [storage, keys] of known) {
    await removeOrphans(run, storage, keys);
    if (keys.seenCount < keys.size) await reportMissing(run, storage, keys);
    if (!run.dryRun) run.report.incomplete += (await storage.removeIncomplete?.(run.abandonedBefore)) ?? 0;
  }
  return run.report;
}

/** One storage would take the other's objects for orphans. */
function assertApart(storages: Storage[]): void {
  const [nested] = nestedStorages(storages);
  if (!nested) return;
  throw new ConfigurationError(
    `PrivateFiles.sweep: the storage in "${nested.inner}" lies inside of the one in "${nested.outer}". Give each a folder of its own.`,
  );
}

async function readKeys(run: SweepRun, storage: Storage): Promise<KeySet> {
  const keys = new KeySet();
  let rows = 0;
  for (const column of keyColumns(run.storages.columnsOn(storage))) {
    for await (const page of new KeyRows(run.dataSource, column).pages(run.options.signal)) {
      for (const { key } of page) {
        if (key !== "") keys.add(key);
        run.progress("rows", ++rows);
      }
    }
  }
  return keys;
}
