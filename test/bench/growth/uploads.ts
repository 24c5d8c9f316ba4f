import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "../../support/markdown.js";
import { atMost } from "../aims.js";
import { duration, mebibytes, number } from "../format.js";
import { resultOf } from "../process-result.js";
import { spread } from "../statistics.js";
import type { Part, Section } from "./part.js";

const MiB = 2 ** 20;
/** Above it a byte is meant to cost the same: up to it, what each file costs shows. */
const SMALL = 16 * MiB;
const SIZES = [
  { label: "1 MiB", size: MiB, times: 100 },
  { label: "16 MiB", size: 16 * MiB, times: 30 },
  { label: "256 MiB", size: 256 * MiB, times: 5 },
  { label: "2 GiB", size: 2048 * MiB, times: 3 },
];

/** What uploads of one size took. */
export interface Uploads {
  /** CPU for 10⁹ bytes, in seconds: the median of an upload. */
  cpuPerGigabyte: number;
  /** The median of an upload. */
  seconds: number;
  /** The most bytes that were resident beyond those before the first upload. */
  extra: number;
}

/** The same, and which size that was. */
export interface SizedUploads extends Uploads {
  label: string;
  size: number;
}

/** What uploads cost. */
export const uploads: Part = {
  name: "uploads",
  async measure({ folder, say }) {
    const program = join(import.meta.dirname, "upload-process.js");
    const measured: SizedUploads[] = [];
    for (const { label, size, times } of SIZES) {
      say(`Uploads of ${label}`);
      const own = await mkdtemp(join(folder, "uploads-"));
      measured.push({ label, size, ...(await resultOf<Uploads>(program, [own, `${size}`, `${times}`])) });
    }
    return uploadSection(measured);
  },
};

/** What came. */
export function uploadSection(measured: readonly SizedUploads[]): Section {
  const rows = measured.map(({ label, cpuPerGigabyte, seconds, extra }) => [
    ...[label, number(cpuPerGigabyte), duration(seconds), mebibytes(extra)],
  ]);
  const large = measured.filter(({ size }) => size > SMALL).map(({ cpuPerGigabyte }) => cpuPerGigabyte);
  const extra = Math.max(...measured.map((one) => one.extra)) / MiB;
  return {
    title: "Uploads",
    outcomes: [
      atMost("CPU of a byte of an upload, above 16 MiB: the most, of the least", 1.3, spread(large)),
      atMost("memory over idle, for an upload of any size", 64, extra, "MiB"),
    ],
    text: `${TEXT}\n\n${tableOf(["", "CPU s/GB", "time", "memory over idle"], rows)}`,
  };
}

const TEXT = `\`attach\` of streams of 64 KiB chunks into a \`DiskStorage\`, one after the other, each size in a process of its own, after some
that are not measured, but for their memory. A file is removed after it. CPU and time are medians; the time has the waits for the disk in it.`;
