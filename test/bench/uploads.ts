import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "../support/markdown.js";
import { resultOf } from "./child-process.js";
import type { Cost } from "./cost.js";
import { duration, mebibytes, number } from "./format.js";

const MiB = 2 ** 20;
const SIZES = [
  { label: "1 MiB", size: MiB, times: 100 },
  { label: "16 MiB", size: 16 * MiB, times: 30 },
  { label: "256 MiB", size: 256 * MiB, times: 5 },
  { label: "2 GiB", size: 2048 * MiB, times: 3 },
];

/** The cost of uploads of one size. */
export interface Uploads extends Cost {
  /** The most bytes that were resident beyond those before the first upload. */
  extra: number;
}

/** Measures `attach` of streams into a `DiskStorage`, one after the other, each size in its own process. */
export async function uploads(folder: string): Promise<string> {
  const program = join(import.meta.dirname, "upload-process.js");
  const rows: string[][] = [];
  for (const { label, size, times } of SIZES) {
    const own = await mkdtemp(join(folder, "uploads-"));
    const { cpu, time, extra } = await resultOf<Uploads>(program, [own, `${size}`, `${times}`]);
    rows.push([label, number(cpu / (size / 1e9)), duration(time), mebibytes(extra)]);
  }
  return tableOf(["an upload of", "CPU s/GB", "time", "memory over idle"], rows);
}
