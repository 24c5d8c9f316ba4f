import { tableOf } from "../../support/markdown.js";
import { atMost, type Outcome } from "../aims.js";
import { type ApplicationSize, application } from "../contestants.js";
import { count, duration, number } from "../format.js";
import type { DatabaseName } from "../open-database.js";
import { measureRounds, type RunLength } from "../rounds.js";
import type { Samples, Subject } from "../samples.js";
import { type Workbench, withRunning } from "../workbench.js";
import type { Section } from "./part.js";
import { downloads } from "./served.js";

// Short and many: what disturbs a round then disturbs all of it.
const LENGTH: RunLength = { rounds: 15, warmUp: 5, leadIn: 0.1, measured: 0.4 };
const LIMIT = 1.2;
const [small] = downloads;

/** Applications that differ in one number. */
export interface Series {
  title: string;
  /** What there is a number of. */
  of: string;
  /** How many, from the least. */
  sizes: number[];
  databases: DatabaseName[];
  /** What an application of that many is like. */
  applicationOf(size: number): ApplicationSize;
  /** How it is measured. */
  text: string;
}

/** Measures a download of 1 KiB from each application. */
export async function measureSeries(workbench: Workbench, series: Series): Promise<Samples> {
  const contestants = series.databases.flatMap((database) =>
    series.sizes.map((size) => application(nameOf(series, database, size), database, series.applicationOf(size))),
  );
  return withRunning(workbench, contestants, (runnings) => measureRounds(workbench, runnings, [small], LENGTH));
}

/** What came, for each database that was there. */
export function seriesSection(series: Series, samples: Samples): Section {
  const { title, of, sizes, databases, text } = series;
  const rows = databases
    .flatMap((database) => sizes.map((size) => ({ database, size })))
    .filter(({ database, size }) => samples.has(subjectOf(series, database, size)))
    .map(({ database, size }) => rowOf(series, samples, database, size));
  const table = tableOf(["", of, "requests/s", "CPU a request", `of that with ${count(sizes[0]!)}`], rows);
  return {
    ...{ title, text: `${text}\n\n${table}` },
    outcomes: databases.map((database) => outcomeOf(series, samples, database)),
  };
}

function rowOf(series: Series, samples: Samples, database: DatabaseName, size: number): string[] {
  const subject = subjectOf(series, database, size);
  return [
    ...[database, count(size), number(samples.median(subject, "rate"))],
    ...[duration(samples.median(subject, "cpuPerRequest")), number(growth(series, samples, database, size)!)],
  ];
}

function outcomeOf(series: Series, samples: Samples, database: DatabaseName): Outcome {
  const [first, ...others] = series.sizes;
  const most = count(others.at(-1)!);
  const growths = others.flatMap((size) => growth(series, samples, database, size) ?? []);
  return atMost(
    `CPU of a download on ${database}, with up to ${most} ${series.of}, of that with ${count(first!)}`,
    LIMIT,
    growths.length > 0 ? Math.max(...growths) : undefined,
  );
}

function growth(series: Series, samples: Samples, database: DatabaseName, size: number): number | undefined {
  const base = subjectOf(series, database, series.sizes[0]!);
  return samples.ratio(subjectOf(series, database, size), base, "cpuPerRequest");
}

function subjectOf(series: Series, database: DatabaseName, size: number): Subject {
  return { scene: small.name, contestant: nameOf(series, database, size) };
}

function nameOf({ of }: Series, database: DatabaseName, size: number): string {
  return `${size} ${of}, ${database}`;
}
