import { setTimeout as sleep } from "node:timers/promises";
import { openArchive } from "../support/archive.js";
import type { TestDatabase } from "../support/databases.js";
import { Backends } from "./backends.js";
import { Crew } from "./crew.js";
import { type Figures, type Findings, Tally } from "./figures.js";
import { ForeignObjects } from "./foreign-objects.js";
import { Inspections } from "./inspections.js";
import { Keepsakes } from "./keepsakes.js";
import { Random } from "./random.js";
import { ENTITIES } from "./shipment.js";
import { Sweeps } from "./sweeps.js";

/** How many changes end between one kill and the next, at most. */
const CHANGES = 20;
/** The milliseconds after that, at most: about as long as a change takes. */
const LONGEST_PAUSE = 30;
/** How many kills there are between one sweep beside the writers and the next. */
const SWEEP_EACH = 20;
/** Before how many kills of a process a connection is killed as well. */
const BACKENDS = 0.3;

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

/** Who takes part. */
interface Cast {
  crew: Crew;
  sweeps: Sweeps;
  inspections: Inspections;
  backends?: Backends;
  random: Random;
}

/**
 * Lets four processes change rows in all the ways there are on one database and in one folder, kills any of them at any moment
 * and puts another one in its place, kills connections, sweeps, and looks from time to time whether all rows and files are
 * right. Ends early when they are not.
 */
export async function torture(database: TestDatabase, options: TortureOptions): Promise<Figures> {
  const archive = await openArchive(database, { entities: ENTITIES });
  archive.dataSource.setOptions({ synchronize: false });
  // What opens the database as the first one finds what a crash has left of it.
  await archive.dataSource.destroy();
  const foreign = new ForeignObjects(archive.storage);
  await foreign.put();
  const order = { options: archive.dataSource.options, root: archive.storage.root, foreign: foreign.keys };
  const random = new Random(options.seed);
  const backends = await Backends.open(order.options, random);
  const keepsakes = new Keepsakes();
  const crew = new Crew(order, random, keepsakes);
  const findings = noFindings();
  const sweeps = new Sweeps(order, random, findings);
  const inspections = new Inspections(order, sweeps, keepsakes, findings);
  const figures: Figures = { kills: 0, backends: 0, work: crew.done, findings, violations: [] };
  try {
    await killAndInspect(figures, { crew, sweeps, inspections, backends, random }, options);
  } finally {
    await crew.stop();
    await backends?.close();
    await archive.dataSource.initialize();
    await archive.close();
  }
  return figures;
}

async function killAndInspect(figures: Figures, cast: Cast, { kills, round, onInspection }: TortureOptions) {
  const { crew, inspections, backends } = cast;
  while (figures.kills < kills && figures.violations.length === 0) {
    crew.start();
    await killSome(figures, cast, Math.min(figures.kills + round, kills));
    await crew.stop();
    await backends?.untilAlone();
    figures.backends = backends?.killed ?? 0;
    await inspections.inspect();
    figures.violations = [...crew.done.failures, ...figures.findings.violations];
    onInspection?.(figures);
  }
}

async function killSome(figures: Figures, { crew, sweeps, backends, random }: Cast, end: number): Promise<void> {
  let sweeping: Promise<void> | undefined;
  for (; figures.kills < end && crew.done.failures.length === 0; figures.kills++) {
    await crew.work(random.below(CHANGES));
    if (random.chance(BACKENDS)) await backends?.killOne();
    await sleep(random.below(LONGEST_PAUSE));
    await crew.killOne();
    if (figures.kills % SWEEP_EACH === 0) sweeping = Promise.all([sweeping, sweeps.besideWriters()]).then(() => {});
  }
  await sweeping;
}

function noFindings(): Findings {
  return {
    ...{ inspections: 0, orphans: 0, incomplete: 0, sweptBesideWriters: 0, keepsakes: 0, violations: [] },
    sweeps: new Tally(),
  };
}
