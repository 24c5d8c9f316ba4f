// A process that does one thing to one parcel, and kills itself at a step of it. Its argument is JSON; it writes the steps.
import { Readable } from "node:stream";
import { DataSource, type DataSourceOptions, type EntityManager } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Parcel, putInto } from "../support/parcel.js";
import { Steps } from "../support/steps.js";

/** What such a process is told. */
export interface CrashOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  operation: Operation;
  /** A setting of its connection to SQLite. (default: none) */
  pragma?: string;
  /** The step at which it kills itself. (default: none; it writes the names of all steps as JSON) */
  stopAt?: number;
}

/** What it does: to a new parcel, or to the one with the label "old". */
export type Operation = "insert" | "replace" | "remove";

/** Twice as much as the package writes at once, so that a file can be half written. */
const HALVES = [Buffer.alloc(600_000, "first"), Buffer.alloc(600_000, "second")];

async function perform(operation: Operation, files: PrivateFiles, manager: EntityManager): Promise<void> {
  const parcel =
    operation === "insert" ? manager.create(Parcel) : await manager.findOneByOrFail(Parcel, { label: "old" });
  if (operation === "remove") {
    await manager.remove(parcel);
    return;
  }
  await putInto(parcel, "letter", "new", Buffer.concat(HALVES), files, Readable.from(HALVES, { objectMode: false }));
  await manager.save(parcel);
}

const order: CrashOrder = JSON.parse(process.argv[2]!);
const dataSource = new DataSource({ ...order.options, entities: [Parcel] } as DataSourceOptions);
await dataSource.initialize();
if (order.pragma) await dataSource.query(`PRAGMA ${order.pragma}`);
const storage = new DiskStorage(order.root);
const files = new PrivateFiles(dataSource, { storage });
const steps = new Steps(order.stopAt);
steps.watch(storage.root, dataSource);
await perform(order.operation, files, dataSource.manager);
process.stdout.write(JSON.stringify(steps.names));
// "destroy" would take steps as well.
process.exit();
