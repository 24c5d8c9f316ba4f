import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { cores, nodeOn } from "./cores.js";
import type { DatabaseName } from "./open-database.js";

/** How long the lookup of a row takes without HTTP, one after the other. */
export interface Lookup {
  database: DatabaseName;
  /** The version of its server, where it has one. */
  server?: string;
  /** Seconds to load the entity, as a download does. */
  load: number;
  /** Seconds that the driver takes for the same statement. */
  driver: number;
  /** The one by the other: the median of the ratios of batches that were measured in turn. */
  ratio: number;
}

/**
 * Measures it in a process of its own.
 *
 * @param folder where a folder for it may be made.
 */
export async function measureLookup(database: DatabaseName, folder: string): Promise<Lookup> {
  const program = join(import.meta.dirname, "lookup-process.js");
  const child = fork(program, [database, await mkdtemp(join(folder, "lookup-"))], nodeOn(cores.server));
  const exited = once(child, "exit");
  const [lookup] = (await Promise.race([once(child, "message"), exited])) as [Lookup | number | null];
  await exited;
  if (typeof lookup !== "object" || !lookup) throw new Error(`${program} has failed on ${database}.`);
  return lookup;
}
