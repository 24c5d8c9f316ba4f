// A process that sweeps, once or some times. Its argument is JSON.
import type { DataSourceOptions } from "typeorm";
import { DiskStorage, PrivateFiles, type SweepReport } from "typeorm-private-files";
import { outcomeOf } from "./changes/refusals.js";
import { openShipments } from "./shipment.js";

/** What such a process is told. */
export interface SweeperOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  /** The grace period in seconds. */
  olderThan: number;
  prefixes: string[];
  /** How many sweeps follow each other. */
  times: number;
}

/** What it says: that it begins, and what each sweep did. */
export type SweeperMessage = "ready" | { report: SweepReport } | { refused: string };

const { options, root, olderThan, prefixes, times }: SweeperOrder = JSON.parse(process.argv[2]!);
const dataSource = await openShipments(options);
const storage = new DiskStorage(root);
const files = new PrivateFiles(dataSource, { storage });
await say("ready");
for (let time = 0; time < times; time++) await say(await sweep());
process.exit();

async function sweep(): Promise<SweeperMessage> {
  try {
    const report = await files.sweep({ olderThan, prefixes, dryRun: false, force: true });
    // A sweep leaves the last hour to uploads that are under way.
    await storage.removeIncomplete(new Date(Date.now() - olderThan * 1000 + 1000));
    return { report };
  } catch (error) {
    const refused = outcomeOf(error);
    if (refused === undefined) throw error;
    return { refused };
  }
}

function say(message: SweeperMessage): Promise<void> {
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}
