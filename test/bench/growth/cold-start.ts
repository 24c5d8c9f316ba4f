import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "../../support/markdown.js";
import { atMost } from "../aims.js";
import { nodeAnywhere } from "../cores.js";
import { milliseconds } from "../format.js";
import { resultOf } from "../process-result.js";
import { median } from "../statistics.js";
import type { Part, Section } from "./part.js";

const TIMES = 15;
const COLUMNS = 50;

/** What one start took, in seconds. */
export interface ColdStart {
  /** To import what the package is used with. */
  without: number;
  /** To import the package. */
  importing: number;
  /** To build the routes. */
  building: number;
}

/** What the package costs a start. */
export const coldStart: Part = {
  name: "cold-start",
  async measure({ folder, say }) {
    say("Cold starts");
    const program = join(import.meta.dirname, "cold-start-process.js");
    const starts: ColdStart[] = [];
    while (starts.length < TIMES) {
      const own = await mkdtemp(join(folder, "cold-start-"));
      starts.push(await resultOf<ColdStart>(program, [own, `${COLUMNS}`], nodeAnywhere));
    }
    return coldStartSection(starts);
  },
};

/** What came. */
export function coldStartSection(starts: readonly ColdStart[]): Section {
  const steps: [string, number[]][] = [
    ["reflect-metadata, typeorm and koa, without the package", starts.map(({ without }) => without)],
    ['`import("typeorm-private-files")`', starts.map(({ importing }) => importing)],
    ["`new PrivateFiles(…)` and `routes()`", starts.map(({ building }) => building)],
    ["both steps of the package", starts.map(({ importing, building }) => importing + building)],
  ];
  const rows = steps.map(([step, seconds]) => [
    ...[step, ...[median(seconds), Math.min(...seconds), Math.max(...seconds)].map(milliseconds)],
  ]);
  const both = median(starts.map(({ importing, building }) => importing + building));
  return {
    title: "Cold start",
    outcomes: [atMost(`import and routes of ${COLUMNS} columns, in a fresh process`, 40, both * 1000, "ms")],
    text: `${TEXT}\n\n${tableOf(["", "median", "least", "most"], rows)}`,
  };
}

const TEXT = `What the package adds to the start of an application that has imported reflect-metadata, typeorm and koa, each by \`import()\`, and has initialized its data source:
${TIMES} fresh processes, one after the other, on all cores, whose files are in the page cache. Declaring the ${COLUMNS} columns is not counted.`;
