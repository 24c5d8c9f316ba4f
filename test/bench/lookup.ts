import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseName } from "./open-database.js";
import { resultOf } from "./process-result.js";

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
  return resultOf<Lookup>(program, [database, await mkdtemp(join(folder, "lookup-"))]);
}
