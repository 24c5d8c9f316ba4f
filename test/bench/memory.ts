import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "./load.js";
import { residentBytes } from "./processes.js";
import type { Running } from "./running.js";
import { type Scene, wholeFiles } from "./scenes.js";

const [small, , , huge] = wholeFiles as [Scene, Scene, Scene, Scene];
/** How many small files a server has sent before it counts as idle: all of its code is loaded then. */
const FIRST_REQUESTS = 200;
/** The milliseconds that it rests before. */
const REST = 1000;

/**
 * How many bytes a server that has just started needs beyond those that it has when it is idle, while eight clients download
 * 100 MiB at once, each twice.
 */
export async function extraMemory(load: Load, running: Running): Promise<number> {
  const now = { leadIn: 0, measured: 0 };
  await running.measure(load, { ...small, requests: FIRST_REQUESTS }, now);
  await sleep(REST);
  const idle = residentBytes(running.pid);
  const { peak } = await running.measure(load, { ...huge, requests: 2 * huge.connections }, now);
  return peak - idle;
}
