import { tableOf } from "../support/markdown.js";
import { aimTable } from "./aims.js";
import { duration, mebibytes, milliseconds, number } from "./format.js";
import { OURS } from "./names.js";
import type { Findings } from "./run.js";
import type { Samples, Subject } from "./samples.js";
import { constant, koaSendFor, notModified, otherName, range, refused } from "./scenes.js";
import type { Target } from "./targets.js";

/** How all compare at one whole file. */
export function wholeFileTable(samples: Samples, scene: string): string {
  const head = [
    "requests/s",
    "of koa-send's",
    "CPU a request",
    "of koa-send's",
    "CPU s/GB",
    "p50",
    "p99",
    "peak memory",
  ];
  const rows = samples
    .subjectsOf(scene)
    .map((subject) => [
      subject.contestant,
      ...ratesAndCpu(samples, subject),
      number(samples.median(subject, "cpuPerGigabyte")),
      milliseconds(samples.median(subject, "p50")),
      milliseconds(samples.median(subject, "p99")),
      mebibytes(samples.most(subject, "peak")),
    ]);
  return tableOf(["", ...head], rows);
}

/** The answers that are no whole file. */
export function otherAnswersTable(samples: Samples): string {
  const answers: [string, string][] = [
    [notModified.name, "304, of 1 KiB"],
    [refused.name, "403, of 1 KiB"],
    [range.name, "206, 64 KiB of 1 MiB"],
  ];
  const rows = answers.flatMap(([scene, answer]) =>
    samples.subjectsOf(scene).map((subject) => [answer, subject.contestant, ...ratesAndCpu(samples, subject)]),
  );
  const ofKoaSend = "of koa-send's at 1 KiB";
  return tableOf(["answer", "", "requests/s", ofKoaSend, "CPU a request", ofKoaSend], rows);
}

/** What requests take that end before a file is looked at. */
export function requestsWithoutFileTable(samples: Samples): string {
  const base = { scene: constant.name, contestant: OURS };
  const requests: [string, string][] = [
    [constant.name, "a route that answers with a constant"],
    [refused.name, "row found, condition says no: 403"],
    [otherName.name, "row found, condition says yes, URL has another file's name: 404"],
  ];
  const rows = requests.map(([scene, request]) => {
    const subject = { scene, contestant: OURS };
    const more = samples.difference(subject, base, "cpuPerRequest")!;
    return [request, duration(samples.median(subject, "cpuPerRequest")), duration(more)];
  });
  return tableOf(["request", "CPU", "over the constant"], rows);
}

/** What a lookup takes without HTTP. */
export function lookupTable({ lookups }: Findings): string {
  const rows = lookups.map(({ database, load, driver, ratio }) => [
    database,
    duration(load),
    duration(driver),
    number(ratio),
  ]);
  return tableOf(["", "loading the entity", "the driver alone", "of the driver's"], rows);
}

/** The memory of large downloads. */
export function memoryTable({ memory }: Findings): string {
  const rows = Object.entries(memory).map(([contestant, bytes]) => [contestant, mebibytes(bytes)]);
  return tableOf(["", "over idle"], rows);
}

/** What was aimed at, and what came. */
export function targetTable(findings: Findings, targets: readonly Target[]): string {
  return aimTable(targets.map((target) => ({ ...target, came: target.came(findings) })));
}

function ratesAndCpu(samples: Samples, subject: Subject): string[] {
  const base = koaSendFor(subject.scene);
  return [
    number(samples.median(subject, "rate")),
    number(samples.ratio(subject, base, "rate")!),
    duration(samples.median(subject, "cpuPerRequest")),
    number(samples.ratio(subject, base, "cpuPerRequest")!),
  ];
}
