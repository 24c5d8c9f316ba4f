import { tableOf } from "../../support/markdown.js";
import { atMost, type Outcome } from "../aims.js";
import { application } from "../contestants.js";
import { count, duration, mebibytes, milliseconds, number } from "../format.js";
import { measureRounds, type RunLength } from "../rounds.js";
import type { Samples } from "../samples.js";
import type { Scene } from "../scenes.js";
import { withRunning } from "../workbench.js";
import type { Part, Section } from "./part.js";
import { downloads } from "./served.js";

const LENGTH: RunLength = { rounds: 3, warmUp: 8, leadIn: 0.2, measured: 1.5 };
const NUMBERS = [1, 10, 100, 1000];
/** What the others are compared with: one alone can't share what a turn of the event loop costs. */
const BASE = 10;
const LIMIT = 1.5;
const [, medium, large] = downloads;
const server = application("many at once", "better-sqlite3");

/** What downloads cost that are under way at once. */
export const atOnce: Part = {
  name: "at-once",
  async measure(workbench) {
    const scenes = [medium, large].flatMap((scene) => NUMBERS.map((connections) => sceneOf(scene, connections)));
    return atOnceSection(
      await withRunning(workbench, [server], (runnings) => measureRounds(workbench, runnings, scenes, LENGTH)),
    );
  },
};

/** What came. */
export function atOnceSection(samples: Samples): Section {
  const rows = [medium, large].flatMap((scene) => NUMBERS.map((connections) => rowOf(samples, scene, connections)));
  const head = ["", "at once", "requests/s", "CPU a request", `of that of ${BASE} at once`, "p99", "peak memory"];
  const text =
    "Downloads from one application on better-sqlite3, each on a connection of its own that asks again at once.";
  return { title: "At once", outcomes: [outcomeOf(samples)], text: `${text}\n\n${tableOf(head, rows)}` };
}

function rowOf(samples: Samples, scene: Scene, connections: number): string[] {
  const subject = subjectOf(scene, connections);
  return [
    ...[scene.name, count(connections), number(samples.median(subject, "rate"))],
    ...[duration(samples.median(subject, "cpuPerRequest")), number(growth(samples, scene, connections))],
    ...[milliseconds(samples.median(subject, "p99")), mebibytes(samples.most(subject, "peak"))],
  ];
}

function outcomeOf(samples: Samples): Outcome {
  return atMost(
    `CPU of a download of ${medium.name}, up to ${count(NUMBERS.at(-1)!)} at once, of that of ${BASE} at once`,
    LIMIT,
    Math.max(...NUMBERS.filter((one) => one > BASE).map((connections) => growth(samples, medium, connections))),
  );
}

function growth(samples: Samples, scene: Scene, connections: number): number {
  return samples.ratio(subjectOf(scene, connections), subjectOf(scene, BASE), "cpuPerRequest")!;
}

function subjectOf(scene: Scene, connections: number) {
  return { scene: sceneOf(scene, connections).name, contestant: server.name };
}

function sceneOf(scene: Scene, connections: number): Scene {
  return { ...scene, name: `${scene.name}, ${connections} at once`, connections };
}
