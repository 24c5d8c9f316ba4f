import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type DataSource } from "typeorm";
import {
  DiskStorage,
  PrivateFiles,
  type Storage,
  type SweepItem,
  type SweepOptions,
  type SweepReport,
} from "typeorm-private-files";
import { randomSegment } from "../../src/storage/key.js";
import { BackdatedStorage } from "./backdated-storage.js";
import { type Model, sqljs, type TestDatabase } from "./databases.js";

/** A database and a storage, for sweeps. */
export interface SweepFixture {
  dataSource: DataSource;
  /** Made when it is asked for first: a data source has files in one storage alone, which may be another. */
  readonly files: PrivateFiles;
  storage: DiskStorage;
  /** A folder around the storage's own. */
  folder: string;
  close(): Promise<void>;
}

/** Opens an empty database and an empty storage. */
export async function openSweepFixture(model: Model, database: TestDatabase = sqljs): Promise<SweepFixture> {
  const { dataSource, close } = await database.open(model);
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const storage = new BackdatedStorage(join(folder, "files"));
  let files: PrivateFiles | undefined;
  return {
    ...{ dataSource, storage, folder },
    get files() {
      files ??= new PrivateFiles(dataSource, { storage });
      return files;
    },
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A key as `attach` makes them. */
export function keyIn(folder: string, name = "a.txt"): string {
  return [folder, randomSegment(), name].filter((part) => part !== "").join("/");
}

/** Writes an object that is some hours old, and returns its key. */
export async function putOld(storage: DiskStorage, key: string, hours = 48, content = "bytes"): Promise<string> {
  await storage.put(key, Readable.from([Buffer.from(content)]));
  const time = new Date(Date.now() - hours * 3_600_000);
  await utimes(storage.path(key), time, time);
  return key;
}

/** Sweeps, and gives what was counted and what was found. */
export async function sweepAll(
  files: PrivateFiles,
  options: SweepOptions = {},
): Promise<{ report: SweepReport; items: SweepItem[] }> {
  const items: SweepItem[] = [];
  const report = await files.sweep({ ...options, onItem: (item) => void items.push(item) });
  return { report, items };
}

/** The keys in a storage, sorted. */
export async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys.sort();
}
