import { DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import { type ListedObject, PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { MemoryStorage } from "./memory-storage.js";

// A program: sweeps as many rows and objects as it is told, and prints what that took as JSON. Its storage makes up what it lists.

/** What the program prints. */
export interface MillionSweep {
  orphans: number;
  missing: number;
  /** By how many MiB the process grew from when the rows were written to its largest. */
  growth: number;
  selects: number;
}

@Entity()
class Upload {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: () => "uploads/report.pdf" }) file!: PrivateFile;
}

/** Has an object for all rows but every hundred thousandth, and one more, which no row names, for every hundredth. */
class EndlessStorage extends MemoryStorage {
  constructor(private readonly count: number) {
    super();
  }

  override async *list(): AsyncGenerator<ListedObject> {
    for (let index = 1; index <= this.count; index++) {
      if (index % 100_000 !== 0) yield { key: keyOf(index), size: 1, modifiedAt: new Date(0) };
      if (index % 100 === 0) yield { key: `uploads/orphan-${index}.pdf`, size: 1, modifiedAt: new Date(0) };
    }
  }
}

function keyOf(index: number): string {
  return `uploads/${String(index).padStart(30, "0")}/report.pdf`;
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
await dataSource.query(
  `WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${Number(rows)})
   INSERT INTO upload (file) SELECT 'uploads/' || printf('%030d', n) || '/report.pdf' FROM counted`,
);
const files = new PrivateFiles(dataSource, { storage: new EndlessStorage(Number(rows)) });
globalThis.gc?.();
const idle = process.memoryUsage.rss();
selects = 0;
const { orphans, missing } = await files.sweep({ dryRun: false, prefixes: ["uploads/"] });
const growth = process.resourceUsage().maxRSS / 1024 - idle / 1024 ** 2;
console.log(JSON.stringify({ orphans, missing, growth, selects } satisfies MillionSweep));
await dataSource.destroy();
