import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";

const KiB = 1024;
const MiB = 1024 * KiB;

/** A file that every contestant serves. */
export interface BenchFile {
  /** Its name in the tables. */
  label: string;
  /** Its name in the folder of the files. */
  name: string;
  size: number;
}

/** The files, from the smallest to the largest. */
export const files = [
  { label: "1 KiB", name: "1-KiB.bin", size: KiB },
  { label: "64 KiB", name: "64-KiB.bin", size: 64 * KiB },
  { label: "1 MiB", name: "1-MiB.bin", size: MiB },
  { label: "100 MiB", name: "100-MiB.bin", size: 100 * MiB },
] as const satisfies BenchFile[];

/** Fills a folder with the files: random bytes, which don't compress. */
export async function makeFiles(folder: string): Promise<void> {
  for (const { name, size } of files) {
    const file = await open(join(folder, name), "wx");
    for (let left = size; left > 0; left -= MiB) await file.write(randomBytes(Math.min(left, MiB)));
    await file.close();
  }
}
