import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { KeyRows } from "../database/key-rows.js";
import { keyColumns } from "../database/named-keys.js";
import { objectKey } from "../storage/spelling.js";
import type { Storage } from "../storage/storage.js";
import { verifiableColumns } from "../verification/expectation.js";
import { assertCertain } from "./certainty.js";
import { KeySet } from "./key-set.js";
import { reportMissing } from "./missing-files.js";
import { countObjects, removeOrphans } from "./orphans.js";
import { OtherNames } from "./other-names.js";
import type { SweepOptions, SweepReport } from "./sweep-options.js";
import { SweepRun } from "./sweep-run.js";
import { verifyObjects } from "./verify-objects.js";

/**
 * Finds what saves and crashes have left: objects that no row names, and rows whose object is gone. Memory grows with the
 * number of named keys alone, by 27 bytes each at most, and as much for each row whose object is not there.
 *
 * The keys that rows name are read first, so that each object is looked up in memory. That says only what may be an orphan:
 * before one is removed, the database is asked again. Nothing is removed before all storages were listed once.
 */
export async function sweep(
  dataSource: DataSource,
  storages: ColumnStorages,
  options: SweepOptions,
): Promise<SweepReport> {
  const run = new SweepRun(dataSource, storages, options);
  await assertCertain(run);
  const verifiable = options.verify ? verifiableColumns(storages, "PrivateFiles.sweep") : undefined;
  const known = new Map<Storage, { keys: KeySet; candidates: number }>();
  for (const storage of storages.storages) {
    const keys = await readKeys(run, storage);
    known.set(storage, { keys, candidates: await countObjects(run, storage, keys) });
  }
  const otherNames = new OtherNames();
  for (const [storage, { keys }] of known) {
    if (keys.seenCount < keys.size) await reportMissing(run, storage, keys, otherNames);
  }
  for (const [storage, { keys, candidates }] of known) {
    if (candidates > 0) await removeOrphans(run, storage, keys, otherNames, candidates);
    if (!run.dryRun) run.report.incomplete += (await storage.removeIncomplete?.(run.abandonedBefore)) ?? 0;
  }
  if (verifiable) await verifyObjects(run, verifiable, keysByColumn(run, known));
  return run.report;
}

async function readKeys(run: SweepRun, storage: Storage): Promise<KeySet> {
  const keys = new KeySet();
  let rows = 0;
  for (const column of keyColumns(run.storages.columnsOn(storage))) {
    for await (const page of new KeyRows(run.dataSource, column).pages(run.options.signal)) {
      for (const { key } of page) {
        if (key !== "") keys.add(objectKey(storage, key));
        run.progress("rows", ++rows);
      }
    }
  }
  return keys;
}

function keysByColumn(run: SweepRun, known: Map<Storage, { keys: KeySet }>): Map<PrivateColumn, KeySet> {
  return new Map(
    [...known].flatMap(([storage, { keys }]) =>
      run.storages.columnsOn(storage).map((column) => [column, keys] as const),
    ),
  );
}
