import { DataSource } from "typeorm";
import { PrivateFiles } from "typeorm-private-files";
import { EndlessStorage, insertUploads, Upload } from "./many-uploads.js";

// A program: sweeps as many rows and objects as it is told, and prints what that took as JSON. Its storage makes up what it lists.

/** What the program prints. */
export interface MillionSweep {
  orphans: number;
  missing: number;
  /** By how many MiB the process grew from when the rows were written to its largest. */
  growth: number;
  selects: number;
}

let selects = 0;
const logger = {
  logQuery: (query: string) => void (query.startsWith("SELECT") && selects++),
  ...{ logQueryError() {}, logQuerySlow() {}, logSchemaBuild() {}, logMigration() {}, log() {} },
};
const [type, database, rows] = process.argv.slice(2) as ["sqljs" | "better-sqlite3", string, string];
const options = type === "sqljs" ? { type } : { type, database };
const dataSource = new DataSource({ ...options, entities: [Upload], synchronize: true, logger, logging: ["query"] });
await dataSource.initialize();
await insertUploads(dataSource, 1, Number(rows));
const files = new PrivateFiles(dataSource, { storage: new EndlessStorage(Number(rows)) });
globalThis.gc?.();
const idle = process.memoryUsage.rss();
selects = 0;
const { orphans, missing } = await files.sweep({ dryRun: false, prefixes: ["uploads/"] });
const growth = process.resourceUsage().maxRSS / 1024 - idle / 1024 ** 2;
console.log(JSON.stringify({ orphans, missing, growth, selects } satisfies MillionSweep));
await dataSource.destroy();
