import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "../../support/markdown.js";
import { atMost } from "../aims.js";
import { count, duration, mebibytes, number } from "../format.js";
import { resultOf } from "../process-result.js";
import { spread } from "../statistics.js";
import type { Part, Section } from "./part.js";

const SIZES = [
  { keys: 10_000, times: 10 },
  { keys: 100_000, times: 5 },
  { keys: 1_000_000, times: 1 },
];

/** What sweeps over as many keys took. */
export interface Sweeps {
  /** How many rows there were, each with its object. */
  keys: number;
  /** CPU, in seconds: the median of a sweep. */
  cpuPerKey: number;
  /** The median of a sweep. */
  seconds: number;
  /** The most memory that was resident, in bytes. */
  peak: number;
}

/** What sweeps cost. */
export const sweeps: Part = {
  name: "sweeps",
  async measure({ folder, say }) {
    const program = join(import.meta.dirname, "sweep-process.js");
    const measured: Sweeps[] = [];
    for (const { keys, times } of SIZES) {
      say(`Sweeps over ${count(keys)} keys`);
      const own = await mkdtemp(join(folder, "sweeps-"));
      measured.push(await resultOf<Sweeps>(program, [own, `${keys}`, `${times}`]));
    }
    return sweepSection(measured);
  },
};

/** What came. */
export function sweepSection(measured: readonly Sweeps[]): Section {
  const rows = measured.map(({ keys, cpuPerKey, seconds, peak }) => [
    ...[count(keys), `${number(cpuPerKey * 1e6)} µs`, duration(seconds), mebibytes(peak)],
  ]);
  const cpu = spread(measured.map(({ cpuPerKey }) => cpuPerKey));
  return {
    title: "Sweeps",
    outcomes: [atMost("CPU of a key of a sweep: the most, of the least", 1.5, cpu)],
    text: `${TEXT}\n\n${tableOf(["keys", "CPU a key", "time", "peak memory"], rows)}`,
  };
}

const TEXT = `\`sweep({ dryRun: true })\` of as many rows on better-sqlite3, with an index on the column, as \`check\` asks for: each number in a process of its
own, after ten sweeps of 10,000 that are not measured. The storage makes up what it lists: an object for each row, and for each hundredth one more that
no row names. What listing a disk takes comes on top.`;
