import type { Aim } from "./aims.js";
import { NGINX, OURS } from "./names.js";
import type { Findings } from "./run.js";
import { constant, koaSendFor, notModified, otherName, refused } from "./scenes.js";

/** What the package is meant to reach on better-sqlite3. */
export interface Target extends Aim {
  /** What came; `undefined` where it was not measured. */
  came(findings: Findings): number | undefined;
}

/** django-private-files' requests of 1 KiB in a second, of koa-send's: measured apart, with gunicorn. */
const DJANGO_OF_KOA_SEND = 0.26;

/** All of them, in the order of the results. */
export const targets: Target[] = [
  cpuTarget("a download of 1 KiB, of koa-send's", "1 KiB", 0.75),
  cpuTarget("a download of 64 KiB, of koa-send's", "64 KiB", 0.75),
  cpuTarget("a download of 1 MiB, of koa-send's", "1 MiB", 0.45),
  cpuTarget("a download of 100 MiB, of koa-send's", "100 MiB", 0.37),
  cpuTarget("a 304, of koa-send's for 1 KiB", notModified.name, 0.6),
  cpuTarget("a refusal, of koa-send's for 1 KiB", refused.name, 0.6),
  nginxTarget("1 MiB", 0.6),
  nginxTarget("100 MiB", 0.65),
  {
    ...{ what: "downloads of 1 KiB a second, of django-private-files'", at: "least", limit: 4 },
    came({ samples }) {
      const ratio = samples.ratio(ours("1 KiB"), koaSendFor("1 KiB"), "rate");
      return ratio && ratio / DJANGO_OF_KOA_SEND;
    },
  },
  {
    ...{ what: "CPU of a lookup, over a route that does nothing", at: "most", limit: 90, unit: "µs" },
    came({ samples }) {
      const seconds = samples.difference(ours(otherName.name), ours(constant.name), "cpuPerRequest");
      return seconds && seconds * 1e6;
    },
  },
  {
    ...{ what: "time of a lookup on PostgreSQL, of its driver's", at: "most", limit: 1.3 },
    came: ({ lookups }) => lookups.find(({ database }) => database === "PostgreSQL")?.ratio,
  },
  {
    ...{ what: "memory over idle, for 8 downloads of 100 MiB at once", at: "most", limit: 40, unit: "MiB" },
    came: ({ memory }) => memory[OURS] && memory[OURS] / 2 ** 20,
  },
];

function cpuTarget(what: string, scene: string, limit: number): Target {
  return {
    ...{ what: `CPU of ${what}`, at: "most", limit },
    came: ({ samples }) => samples.ratio(ours(scene), koaSendFor(scene), "cpuPerRequest"),
  };
}

function nginxTarget(scene: string, limit: number): Target {
  return {
    ...{ what: `downloads of ${scene} a second, of nginx's`, at: "least", limit },
    came: ({ samples }) => samples.ratio(ours(scene), { scene, contestant: NGINX }, "rate"),
  };
}

function ours(scene: string) {
  return { scene, contestant: OURS };
}
