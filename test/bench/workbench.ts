import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contestant } from "./contestants.js";
import { Load } from "./load.js";
import { Running } from "./running.js";

/** What measuring needs. */
export interface Workbench {
  /** For temporary files: those that servers send are in it, and folders for servers. */
  folder: string;
  load: Load;
  /** Tells what is going on. */
  say(line: string): void;
}

/** Sets a workbench up, works at it, and clears it away. */
export async function atWorkbench<T>(
  say: (line: string) => void,
  work: (workbench: Workbench) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-bench-"));
  const load = new Load();
  // What a terminal interrupts ends as what has failed does: nothing is left behind.
  process.once("SIGINT", () => load.stop());
  try {
    return await work({ folder, load, say });
  } finally {
    load.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts all contestants that can be had here, and stops them when the work is done. */
export async function withRunning<T>(
  { folder, say }: Workbench,
  contestants: readonly Contestant[],
  work: (runnings: Running[]) => Promise<T>,
): Promise<T> {
  const runnings: Running[] = [];
  try {
    for (const contestant of contestants) {
      if (contestant.missing) say(`Without ${contestant.name}: ${contestant.missing}.`);
      else runnings.push(await Running.start(contestant, folder, folder));
    }
    return await work(runnings);
  } finally {
    await Promise.all(runnings.map((running) => running.stop()));
  }
}
