import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contestant } from "./contestants.js";
import { makeFiles } from "./files.js";
import { Load } from "./load.js";
import { type Lookup, measureLookup } from "./lookup.js";
import { extraMemory } from "./memory.js";
import { type DatabaseName, missingDatabase } from "./open-database.js";
import { measureRound, warmUp } from "./rounds.js";
import { Running, type SliceLength } from "./running.js";
import { type Sample, Samples } from "./samples.js";
import { scenes } from "./scenes.js";

/** How long a run is. */
export interface RunLength extends SliceLength {
  rounds: number;
  /** The seconds for which each server is warmed up. */
  warmUp: number;
}

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
  const folder = await mkdtemp(join(tmpdir(), "private-files-bench-"));
  const load = new Load();
  const runnings: Running[] = [];
  // What a terminal interrupts ends as what has failed does: nothing is left behind.
  process.once("SIGINT", () => load.stop());
  try {
    await makeFiles(folder);
    const lookups = await measureLookups(folder, say);
    for (const contestant of contestants) {
      if (contestant.missing) say(`Without ${contestant.name}: ${contestant.missing}.`);
      else runnings.push(await Running.start(contestant, folder, folder));
    }
    return { rounds: length.rounds, lookups, ...(await measureServers(load, runnings, folder, length, say)) };
  } finally {
    load.stop();
    await Promise.all(runnings.map((running) => running.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureLookups(folder: string, say: (line: string) => void): Promise<Lookup[]> {
  const names: DatabaseName[] = ["better-sqlite3", "PostgreSQL"];
  const lookups: Lookup[] = [];
  for (const name of names.filter((one) => !missingDatabase(one))) {
    say(`Lookups on ${name}`);
    lookups.push(await measureLookup(name, folder));
  }
  return lookups;
}

async function measureServers(
  load: Load,
  runnings: Running[],
  folder: string,
  length: RunLength,
  say: (line: string) => void,
) {
  say("Memory");
  const memory: Record<string, number> = {};
  for (const running of runnings) memory[running.contestant.name] = await extraMemory(load, running);
  say("Warm-up");
  for (const running of runnings) await running.verify(scenes, folder);
  await warmUp(load, runnings, scenes, length.warmUp);
  const samples: Sample[] = [];
  for (let round = 0; round < length.rounds; round++) {
    say(`Round ${round + 1} of ${length.rounds}`);
    samples.push(...(await measureRound(load, runnings, scenes, folder, length, round)));
  }
  return { memory, samples: new Samples(samples) };
}
