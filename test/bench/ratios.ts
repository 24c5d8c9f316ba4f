import { NGINX, OURS, OURS_ON_POSTGRES } from "./names.js";
import type { Findings } from "./run.js";
import type { Metric, Subject } from "./samples.js";
import { koaSendFor, notModified, otherName, range, refused, wholeFiles } from "./scenes.js";

/** How the package compares with others, by what is compared. These hold for other machines too, more or less. */
export type Ratios = Record<string, number>;

/** A ratio that has moved. */
export interface Move {
  name: string;
  from: number;
  to: number;
}

/** The ratios of a run that are the package's. */
export function ratiosOf({ samples, lookups }: Findings): Ratios {
  const ratios: Ratios = {};
  const add = (name: string, ratio: number | undefined) => {
    if (ratio !== undefined) ratios[name] = Number(ratio.toPrecision(3));
  };
  const compare = (subject: Subject, base: Subject, metric: Metric) => {
    const what = metric === "rate" ? "requests/s" : "CPU";
    add(
      `${what}: ${subject.contestant}, ${subject.scene} / ${base.contestant}, ${base.scene}`,
      samples.ratio(subject, base, metric),
    );
  };
  for (const contestant of [OURS, OURS_ON_POSTGRES]) {
    for (const { name: scene } of [...wholeFiles, range, notModified, refused, otherName]) {
      compare({ scene, contestant }, koaSendFor(scene), "cpuPerRequest");
    }
    // Those of small files are bounded by the load.
    for (const { name: scene } of wholeFiles.slice(2)) {
      compare({ scene, contestant }, { scene, contestant: NGINX }, "rate");
    }
  }
  for (const { database, ratio } of lookups) add(`time: lookup on ${database} / its driver`, ratio);
  return ratios;
}

/** The ratios that both have and that differ by more than a share of the first, e.g. 0.2 for a fifth. */
export function movesOf(before: Ratios, now: Ratios, share: number): Move[] {
  return Object.entries(before).flatMap(([name, from]) => {
    const to = now[name];
    return to !== undefined && Math.abs(to - from) > share * from ? { name, from, to } : [];
  });
}
