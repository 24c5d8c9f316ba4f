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

const LENGTH: RunLength = { rounds: 9, warmUp: 5, leadIn: 0.1, measured: 0.8 };
const LIMIT = 1.2;
const [small] = downloads;

/** Applications that differ in one number. */
export interface Series {
  title: string;
  /** What there is a number of. */
  of: string;
  /** From the least. */
  numbers: number[];
  databases: DatabaseName[];
  sizeOf(number: number): ApplicationSize;
  /** How it is measured. */
  text: string;
}

/** Measures a download of 1 KiB from each application. */
export async function measureSeries(workbench: Workbench, series: Series): Promise<Samples> {
  const contestants = series.databases.flatMap((database) =>
    series.numbers.map((number) => application(nameOf(series, database, number), database, series.sizeOf(number))),
  );
  return withRunning(workbench, contestants, (runnings) => measureRounds(workbench, runnings, [small], LENGTH));
}

/** What came, for each database that was there. */
export function seriesSection(series: Series, samples: Samples): Section {
  const { title, of, numbers, databases, text } = series;
  const rows = databases
    .flatMap((database) => numbers.map((number) => ({ database, number })))
    .filter(({ database, number }) => samples.has(subjectOf(series, database, number)))
    .map(({ database, number }) => rowOf(series, samples, database, number));
  const table = tableOf(["", of, "requests/s", "CPU a request", `of that with ${count(numbers[0]!)}`], rows);
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
  const [first, ...others] = series.numbers;
  const most = count(others.at(-1)!);
  const growths = others.flatMap((number) => growth(series, samples, database, number) ?? []);
  return atMost(
    `CPU of a download on ${database}, with up to ${most} ${series.of}, of that with ${count(first!)}`,
    LIMIT,
    growths.length > 0 ? Math.max(...growths) : undefined,
  );
}

function growth(series: Series, samples: Samples, database: DatabaseName, number: number): number | undefined {
  const base = subjectOf(series, database, series.numbers[0]!);
  return samples.ratio(subjectOf(series, database, number), base, "cpuPerRequest");
}

function subjectOf(series: Series, database: DatabaseName, number: number): Subject {
  return { scene: small.name, contestant: nameOf(series, database, number) };
}

function nameOf({ of }: Series, database: DatabaseName, number: number): string {
  return `${number} ${of}, ${database}`;
}
