// Sweeps of many rows. Its arguments: a folder for itself, how many rows there are, how often they are swept.
import { PrivateFiles } from "typeorm-private-files";
import { EndlessStorage, insertUploads, Upload } from "../../support/many-uploads.js";
import { openDatabase } from "../open-database.js";
import { peakBytes, resetPeak } from "../processes.js";
import { median } from "../statistics.js";
import { type Cost, costOf } from "./cost.js";
import type { Sweeps } from "./sweeps.js";

const FIRST_KEYS = 10_000;
const FIRST_SWEEPS = 10;

const [folder, rows, times] = process.argv.slice(2) as [string, string, string];
const keys = Number(rows);
const { dataSource, close } = await openDatabase("better-sqlite3", folder, { entities: [Upload] });
// As `check` asks for: else the statement for each 500 orphans reads the whole table.
await dataSource.query("CREATE INDEX upload_file ON upload (file)");
const storage = new EndlessStorage();
const files = new PrivateFiles(dataSource, { storage });
await fill(FIRST_KEYS);
for (let first = 0; first < FIRST_SWEEPS; first++) await sweep();
await fill(keys);
resetPeak(process.pid);
const made: Cost[] = [];
while (made.length < Number(times)) made.push(await sweep());
await close();
process.send!({
  keys,
  cpuPerKey: median(made.map(({ cpu }) => cpu)) / keys,
  seconds: median(made.map(({ seconds }) => seconds)),
  peak: peakBytes(process.pid),
} satisfies Sweeps);
process.disconnect();

/** Lets there be as many rows and objects. */
async function fill(to: number): Promise<void> {
  if (to > storage.count) await insertUploads(dataSource, storage.count + 1, to);
  storage.count = to;
}

/** @throws Error when it does not find what there is. */
async function sweep(): Promise<Cost> {
  const { result, ...cost } = await costOf(() => files.sweep({ dryRun: true, prefixes: ["uploads/"] }));
  const { named, orphans, missing } = result;
  if (named + missing !== storage.count || orphans !== storage.count / 100) {
    throw new Error(
      `The sweep found ${named} objects with a row, ${orphans} without, and ${missing} rows without an object.`,
    );
  }
  return cost;
}
