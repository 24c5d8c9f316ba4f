import { chart, type Group } from "./chart.js";
import { OURS, OURS_ON_POSTGRES } from "./names.js";
import type { Samples } from "./samples.js";
import { koaSendFor, wholeFiles } from "./scenes.js";

/** docs/performance.svg: the CPU of whole downloads, of koa-send's. */
export function picture(samples: Samples): string {
  const groups = wholeFiles.map(({ name }) => groupOf(samples, name));
  return chart("CPU of the server for a download", "Of koa-send's, which is 1. Shorter is better.", groups);
}

function groupOf(samples: Samples, scene: string): Group {
  const bars = samples.subjectsOf(scene).map((subject) => ({
    name: subject.contestant,
    value: samples.ratio(subject, koaSendFor(scene), "cpuPerRequest")!,
    ours: [OURS, OURS_ON_POSTGRES].includes(subject.contestant),
  }));
  return { heading: scene, bars };
}
