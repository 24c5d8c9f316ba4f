import { Readable } from "node:stream";
import type { DiskStorage } from "typeorm-private-files";
import { fingerprint } from "../support/parcel.js";

/** The folder whose objects a sweep may delete, because it is told so. */
export const SWEPT = "imports/";
/** The folder whose objects nothing may ever delete. */
const KEPT = "archive/";
const COUNT = 12;

/** Objects that this package did not write, and that many rows may name. */
export class ForeignObjects {
  readonly #objects = new Map<string, Buffer>();

  constructor(private readonly storage: DiskStorage) {
    for (let index = 0; index < COUNT; index++) {
      const bytes = Buffer.alloc(index * 1000, `${index}`);
      for (const folder of [SWEPT, KEPT]) this.#objects.set(`${folder}${index}-${fingerprint(bytes)}.bin`, bytes);
    }
  }

  get keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Whether an object stays although no row names it. */
  static isKept(key: string): boolean {
    return key.startsWith(KEPT);
  }

  /** Puts back what a sweep has removed. */
  async put(): Promise<void> {
    for (const key of await this.missing()) await this.storage.put(key, Readable.from([this.#objects.get(key)]));
  }

  /** The keys of those that are not in the storage. */
  async missing(): Promise<string[]> {
    const missing: string[] = [];
    for (const key of this.keys) if (!(await this.storage.stat(key))) missing.push(key);
    return missing;
  }
}
