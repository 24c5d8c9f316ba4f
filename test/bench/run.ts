import type { Contestant } from "./contestants.js";
import { files, makeFiles } from "./files.js";
import { type Lookup, measureLookup } from "./lookup.js";
import { extraMemory } from "./memory.js";
import { type DatabaseName, missingDatabase } from "./open-database.js";
import { measureRounds, type RunLength } from "./rounds.js";
import type { Running } from "./running.js";
import type { Samples } from "./samples.js";
import { scenes } from "./scenes.js";
import { atWorkbench, type Workbench, withRunning } from "./workbench.js";

/** What a run found. */
export interface Findings {
  rounds: number;
  samples: Samples;
  /** The bytes over idle under eight large downloads at once, by contestant. */
  memory: Record<string, number>;
  lookups: Lookup[];
}

/**
 * Measures contestants, all in the same minutes.
 *
 * @param say told what is going on.
 * @throws Error when one does not answer each request as it must.
 */
export async function run(
  contestants: readonly Contestant[],
  length: RunLength,
  say: (line: string) => void,
): Promise<Findings> {
  return atWorkbench(say, async (workbench) => {
    await makeFiles(workbench.folder, files);
    const lookups = await measureLookups(workbench);
    return withRunning(workbench, contestants, async (runnings) => ({
      ...{ rounds: length.rounds, lookups },
      memory: await measureMemory(workbench, runnings),
      samples: await measureRounds(workbench, runnings, scenes, length),
    }));
  });
}

async function measureLookups({ folder, say }: Workbench): Promise<Lookup[]> {
  const names: DatabaseName[] = ["better-sqlite3", "PostgreSQL"];
  const lookups: Lookup[] = [];
  for (const name of names.filter((one) => !missingDatabase(one))) {
    say(`Lookups on ${name}`);
    lookups.push(await measureLookup(name, folder));
  }
  return lookups;
}

async function measureMemory({ load, say }: Workbench, runnings: readonly Running[]) {
  say("Memory");
  const memory: Record<string, number> = {};
  for (const running of runnings) memory[running.contestant.name] = await extraMemory(load, running);
  return memory;
}
