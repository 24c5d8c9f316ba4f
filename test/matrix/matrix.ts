import { parseArgs } from "node:util";
import { outcomeOf, summary } from "./outcome.js";
import { chooseRows } from "./rows.js";
import { type RowResult, runRow } from "./run-row.js";

// Runs the tests on other versions of Node, TypeORM and Koa, as CONTRIBUTING.md says.

const text = { type: "string" } as const;
const { values, positionals } = parseArgs({
  options: { node: text, typeorm: text, koa: text, only: text },
  allowPositionals: true,
});

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopped.abort());

const results: RowResult[] = [];
for (const row of chooseRows(values)) {
  console.log(`\n=== ${row.name}: Node ${row.node}, TypeORM ${row.typeorm}, Koa ${row.koa}`);
  results.push(await runRow(row, positionals, stopped.signal));
}
console.log(`\n${summary(results)}`);
if (results.some((result) => outcomeOf(result).failed)) process.exitCode = 1;
