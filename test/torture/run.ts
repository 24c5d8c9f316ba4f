import { setTimeout as sleep } from "node:timers/promises";
import { openArchive } from "../support/archive.js";
import type { TestDatabase } from "../support/databases.js";
import { Parcel } from "../support/parcel.js";
import { Crew, type Work } from "./crew.js";
import { type Findings, Inspections } from "./inspections.js";
import { Random } from "./random.js";

/** How many changes end between one kill and the next, at most. */
const CHANGES = 20;
/** The milliseconds after that, at most: about as long as a change takes. */
const LONGEST_PAUSE = 30;
/** How many kills there are between one sweep beside the writers and the next. */
const SWEEP_EACH = 20;

/** How long a torture is, and which. */
export interface TortureOptions {
  /** How many processes are killed. */
  kills: number;
  /** How many of them between one inspection and the next. */
  round: number;
  /** What the changes and the pauses follow from; when which process gets how far does not. */
  seed: number;
  /** Told after each inspection. */
  onInspection?: (figures: Figures) => void;
}

/** What came of it. */
export interface Figures {
  kills: number;
  work: Work;
  findings: Findings;
  /** What must not be, in words. */
  violations: string[];
}

/**
 * Lets four processes insert, replace and remove on one database and in one folder, kills any of them at any moment and puts
 * another one in its place, and looks from time to time whether all rows and files are right. Ends early when they are not.
 */
export async function torture(database: TestDatabase, options: TortureOptions): Promise<Figures> {
  const archive = await openArchive(database, { entities: [Parcel] });
  archive.dataSource.setOptions({ synchronize: false });
  // What opens the database as the first one finds what a crash has left of it.
  await archive.dataSource.destroy();
  const order = { options: archive.dataSource.options, root: archive.storage.root };
  const random = new Random(options.seed);
  const crew = new Crew(order, random);
  try {
    return await killAndInspect(crew, new Inspections(order, random), random, options);
  } finally {
    await crew.stop();
    await archive.dataSource.initialize();
    await archive.close();
  }
}

async function killAndInspect(
  crew: Crew,
  inspections: Inspections,
  random: Random,
  { kills, round, onInspection }: TortureOptions,
): Promise<Figures> {
  const [work, findings] = [crew.done, inspections.findings];
  const figures: Figures = { kills: 0, work, findings, violations: [] };
  while (figures.kills < kills && figures.violations.length === 0) {
    crew.start();
    for (const end = Math.min(figures.kills + round, kills); figures.kills < end; figures.kills++) {
      await crew.work(random.below(CHANGES));
      await sleep(random.below(LONGEST_PAUSE));
      await crew.killOne();
      if (figures.kills % SWEEP_EACH === 0) await inspections.sweepBesideWriters();
    }
    await crew.stop();
    await inspections.inspect();
    figures.violations = [...work.failures, ...findings.violations];
    onInspection?.(figures);
  }
  return figures;
}
