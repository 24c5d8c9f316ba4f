// A process that changes shipments until it is told to stop, or killed. Its argument is JSON.
import type { DataSourceOptions } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import type { KeepsakeNews } from "./changes/change.js";
import { Changes } from "./changes/changes.js";
import type { Deed } from "./changes/deeds.js";
import { newKeepsake } from "./changes/keepsakes.js";
import { RETRY_FOR } from "./changes/retries.js";
import { Random } from "./random.js";
import { openShipments } from "./shipment.js";

/** What such a process is told. */
export interface WriterOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  /** Keys of objects that this package did not write. */
  foreign: readonly string[];
  seed: number;
  /** Seconds that no change may take. */
  longest: number;
}

/** Its messages: that it begins, how each change ended, what its own row may have, violations, and warnings. */
export type WriterMessage =
  | "ready"
  | { done: Deed[] }
  | { keepsake: KeepsakeNews }
  | { failed: string }
  | { warned: string };

let stopped = false;
process.on("message", () => (stopped = true));
// The process that started it has ended.
process.on("disconnect", () => process.exit());
process.on("warning", ({ message }) => void say({ warned: message }));

const order: WriterOrder = JSON.parse(process.argv[2]!);
const dataSource = await openShipments(order.options);
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(order.root), retryFor: RETRY_FOR });
// SQLite has one connection: a change would become a part of another one's transaction.
const hands = dataSource.options.type === "better-sqlite3" ? [0] : [0, 1];
const changes = await Promise.all(hands.map(begin));
await say("ready");
await Promise.all(changes.map(goOn));
await dataSource.destroy();
process.exit();

/** @param hand of those who work at the same time in this process. */
async function begin(hand: number): Promise<Changes> {
  const site = {
    random: new Random(order.seed + hand),
    files,
    manager: dataSource.manager,
    foreign: order.foreign,
    owner: `${order.seed}.${hand}`,
    tell: (keepsake: KeepsakeNews) => say({ keepsake }),
  };
  await newKeepsake(site);
  return new Changes(site);
}

async function goOn(changes: Changes): Promise<void> {
  while (!stopped) await say(await outcome(changes));
}

async function outcome(changes: Changes): Promise<WriterMessage> {
  const start = performance.now();
  try {
    const done = await changes.makeOne();
    const seconds = Math.round((performance.now() - start) / 1000);
    return seconds < order.longest ? { done } : { failed: `the torture is wrong: a change took ${seconds} seconds` };
  } catch (error) {
    return { failed: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

function say(message: WriterMessage): Promise<void> {
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}
