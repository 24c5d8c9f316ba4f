import { tableOf } from "../support/markdown.js";
import { number } from "./format.js";

/** What is to be reached. */
export interface Aim {
  what: string;
  /** Which side of `limit` it is meant to be on, or right on it. */
  at: "most" | "least";
  limit: number;
  /** (default: none; then it is a ratio) */
  unit?: "µs" | "ms" | "MiB";
}

/** What came of an aim. */
export interface Outcome extends Aim {
  /** In the aim's unit; `undefined` where it was not measured. */
  came: number | undefined;
}

/** The outcome of something that is meant to be small. */
export function atMost(what: string, limit: number, came: number | undefined, unit?: Aim["unit"]): Outcome {
  return { what, at: "most", limit, unit, came };
}

/** Whether an aim is reached by what came. */
export function isReached({ at, limit }: Aim, came: number): boolean {
  return at === "most" ? came <= limit : came >= limit;
}

/** What was aimed at, and what came. */
export function aimTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => {
    const { what, at, limit, unit = "", came } = outcome;
    const aim = `${at === "most" ? "≤" : "≥"} ${limit} ${unit}`.trim();
    if (came === undefined) return [what, aim, "not measured", ""];
    return [what, aim, unit ? `${Math.round(came)} ${unit}` : number(came), isReached(outcome, came) ? "✓" : "✗"];
  });
  return tableOf(["", "aim", "came", ""], rows);
}
