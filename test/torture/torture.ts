// Kills processes that write, over and over: "npm run torture -- --database PostgreSQL --kills 1000 --seed 7".
import { parseArgs } from "node:util";
import { sharedDatabases } from "../support/databases.js";
import { KINDS } from "./changes/kinds.js";
import { linesOf } from "./figures.js";
import { torture } from "./run.js";

const { values } = parseArgs({
  options: {
    database: { type: "string", multiple: true },
    kills: { type: "string", default: "1000" },
    round: { type: "string", default: "50" },
    seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
  },
});
const wanted = sharedDatabases.filter(({ name, skip }) => values.database?.includes(name) ?? !skip);
if (wanted.length === 0) {
  const names = sharedDatabases.map(({ name }) => name);
  throw new Error(`torture: there is no database. Name it with "--database": ${names.join(" or ")}.`);
}
for (const database of wanted) {
  const [kills, round, seed] = [Number(values.kills), Number(values.round), Number(values.seed)];
  console.log(`${database.name}, ${kills} kills, seed ${seed}`);
  const begin = performance.now();
  const seconds = () => Math.round((performance.now() - begin) / 1000);
  const figures = await torture(database, {
    ...{ kills, round, seed },
    onInspection: ({ kills, work }) =>
      console.log(`  ${seconds()} s: ${kills} kills, ${work.deeds.count("committed")} committed`),
  });
  const never = KINDS.filter(({ name, expects = "committed" }) => figures.work.deeds.count(expects, name) === 0);
  console.log(linesOf(figures).join("\n"));
  if (never.length > 0) console.log(`never: ${never.map(({ name }) => name).join(", ")}`);
  console.log(`${seconds()} s`);
  if (figures.violations.length > 0) process.exitCode = 1;
}
