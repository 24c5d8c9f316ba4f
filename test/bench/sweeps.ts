import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "../support/markdown.js";
import { resultOf } from "./child-process.js";
import type { Cost } from "./cost.js";
import { count, duration, mebibytes, number } from "./format.js";

const SIZES = [
  { keys: 10_000, times: 10 },
  { keys: 100_000, times: 5 },
  { keys: 1_000_000, times: 1 },
];

/** The cost of sweeps over a number of keys. */
export interface Sweeps extends Cost {
  /** The most memory that was resident, in bytes. */
  peak: number;
}

/** Measures `sweep({ dryRun: true })`, each number of keys in its own process. The storage makes up its list. */
export async function sweeps(folder: string): Promise<string> {
  const program = join(import.meta.dirname, "sweep-process.js");
  const rows: string[][] = [];
  for (const { keys, times } of SIZES) {
    const own = await mkdtemp(join(folder, "sweeps-"));
    const { cpu, time, peak } = await resultOf<Sweeps>(program, [own, `${keys}`, `${times}`]);
    rows.push([count(keys), `${number((cpu / keys) * 1e6)} µs`, duration(time), mebibytes(peak)]);
  }
  return tableOf(["a sweep over keys", "CPU for each", "time", "peak memory"], rows);
}
