import type { RowResult } from "./run-row.js";

/** The totals of a row, and the names of the tests that failed. */
export interface Outcome {
  pass: number;
  fail: number;
  skipped: number;
  failures: string[];
  failed: boolean;
}

/** Reads what `test/support/reporter.ts` printed. */
export function outcomeOf({ output, exitCode }: Pick<RowResult, "output" | "exitCode">): Outcome {
  const total = (name: string) => Number(new RegExp(`^ℹ ${name} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
  const failures = [...output.matchAll(/^✖ (.+)$/gm)].map(([, name]) => name!);
  const failed = exitCode !== 0 || total("pass") === 0;
  return { pass: total("pass"), fail: total("fail"), skipped: total("skipped"), failures, failed };
}

/** A Markdown table of all rows, then what was left out, and what failed. */
export function summary(results: RowResult[]): string {
  const lines = results.map((result) => `${line(result)}\n`);
  const notes = results.flatMap((result) => notesOf(result));
  return `${HEADING}${lines.join("")}\n${notes.join("")}`;
}

const HEADING = `| row | Node | TypeORM | Koa | databases | passed | failed | skipped | time |
|---|---|---|---|---|---|---|---|---|
`;

function line(result: RowResult): string {
  const { row, databases, seconds } = result;
  const { pass, fail, skipped } = outcomeOf(result);
  const cells = [row.name, row.node, row.typeorm, row.koa, databases.used.join(", "), pass, fail, skipped];
  return `| ${[...cells, `${Math.round(seconds)} s`].join(" | ")} |`;
}

function notesOf(result: RowResult): string[] {
  const { failures, failed } = outcomeOf(result);
  const reasons = [...result.databases.leftOut, ...failures.map((name) => `✖ ${name}`)];
  if (failed && failures.length === 0) reasons.push(`✖ The run ended with ${result.exitCode}.`);
  return reasons.map((reason) => `${result.row.name}: ${reason}\n`);
}
