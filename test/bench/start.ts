import { join } from "node:path";
import { tableOf } from "../support/markdown.js";
import { cores, resultOf } from "./child-process.js";
import { duration, number } from "./format.js";
import { median } from "./statistics.js";

const STARTS = 15;
/** The most that importing the package may take, as a share of TypeORM's and Koa's import. */
const BOUND = 1 / 3;

/** The CPU of one start, in seconds. */
export interface Start {
  /** To import reflect-metadata, typeorm and koa. */
  peers: number;
  /** To import the package after them. */
  ours: number;
}

/** Measures imports in fresh processes, on all cores. The first process, which reads the files from the disk, is not counted. */
export async function start(): Promise<string> {
  const program = join(import.meta.dirname, "start-process.js");
  const starts: Start[] = [];
  for (let made = 0; made <= STARTS; made++) starts.push(await resultOf<Start>(program, [], `0-${cores.measured}`));
  return startTable(starts.slice(1));
}

/** The table of all starts, as Markdown. */
export function startTable(starts: readonly Start[]): string {
  const row = (name: string, figureOf: (start: Start) => number, format: (value: number) => string) => {
    const values = starts.map(figureOf);
    return [name, ...[median(values), Math.min(...values), Math.max(...values)].map(format)];
  };
  return tableOf(
    [`CPU of an import, ${starts.length} fresh processes`, "median", "least", "most"],
    [
      row("`reflect-metadata`, `typeorm` and `koa`", ({ peers }) => peers, duration),
      row("`typeorm-private-files` after them", ({ ours }) => ours, duration),
      row(`its share of theirs (bound: ${number(BOUND)})`, ({ peers, ours }) => ours / peers, number),
    ],
  );
}
