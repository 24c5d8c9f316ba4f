// Sweeps of many rows. Its arguments: its folder, the number of rows, the number of sweeps.
import { PrivateFiles } from "typeorm-private-files";
import { EndlessStorage, insertUploads, Upload } from "../support/many-uploads.js";
import { medianCost } from "./cost.js";
import { openDatabase } from "./databases.js";
import { peakBytes, resetPeak } from "./processes.js";
import type { Sweeps } from "./sweeps.js";

const FIRST_KEYS = 10_000;
const FIRST_SWEEPS = 10;

const [folder, keys, times] = process.argv.slice(2) as [string, string, string];
const { dataSource, close } = await openDatabase("SQLite", folder, { entities: [Upload] });
// As `check` recommends: without an index the statement for each 500 orphans reads the whole table.
await dataSource.query("CREATE INDEX upload_file ON upload (file)");
const storage = new EndlessStorage();
const files = new PrivateFiles(dataSource, { storage });
await fill(FIRST_KEYS);
for (let first = 0; first < FIRST_SWEEPS; first++) await sweep();
await fill(Number(keys));
resetPeak(process.pid);
const cost = await medianCost(Number(times), sweep);
await close();
process.send!({ ...cost, peak: peakBytes(process.pid) } satisfies Sweeps);
process.disconnect();

/** Adds rows and objects up to a number. */
async function fill(to: number): Promise<void> {
  if (to > storage.count) await insertUploads(dataSource, storage.count + 1, to);
  storage.count = to;
}

/** @throws Error when the sweep misses something. */
async function sweep(): Promise<void> {
  const { named, orphans, missing } = await files.sweep({ dryRun: true, prefixes: ["uploads/"] });
  if (named + missing === storage.count && orphans === storage.count / 100) return;
  throw new Error(`The sweep found ${named} objects with a row, ${orphans} without, and ${missing} rows without.`);
}
