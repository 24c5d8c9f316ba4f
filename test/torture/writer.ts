// A process that changes parcels until it is told to stop, or killed. Its argument is JSON.
import { DataSource, type DataSourceOptions, QueryFailedError } from "typeorm";
import { DiskStorage, PrivateFileError, PrivateFiles } from "typeorm-private-files";
import { Parcel } from "../support/parcel.js";
import { Changes, Rollback } from "./changes.js";
import { Random } from "./random.js";

/** What such a process is told. */
export interface WriterOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  seed: number;
}

/** What it says: that it begins, and how each change ended. */
export type WriterMessage = "ready" | "committed" | "rolled back" | { refused: string } | { failed: string };

const STALE = "ERR_PRIVATE_FILE_OTHER_ROW";
let stopped = false;
process.on("message", () => (stopped = true));
// Whoever started it is gone.
process.on("disconnect", () => process.exit());

const order: WriterOrder = JSON.parse(process.argv[2]!);
const dataSource = new DataSource({ ...order.options, entities: [Parcel] } as DataSourceOptions);
await dataSource.initialize();
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(order.root) });
const changes = new Changes(new Random(order.seed), files, dataSource.manager);
say("ready");
while (!stopped) say(await outcome());
await dataSource.destroy();
process.exit();

async function outcome(): Promise<WriterMessage> {
  try {
    await changes.makeOne();
    return "committed";
  } catch (error) {
    if (error instanceof Rollback) return "rolled back";
    // Others hold a lock or a label, or have removed what this process has loaded.
    if (error instanceof QueryFailedError) return { refused: `${error.driverError.code}` };
    if (error instanceof PrivateFileError && error.code === STALE) return { refused: error.code };
    return { failed: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

function say(message: WriterMessage): void {
  process.send!(message);
}
