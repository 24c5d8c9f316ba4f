// "npm run bench": measures downloads from the package and from others, and writes what came to docs/performance.md.
// "-- --short --rounds 1" is a first look, which writes nothing. "npm run bench:check" compares with the last full run.
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { contestants } from "./contestants.js";
import { applicationPackages, describeEnvironment, nginxVersion, peerPackages } from "./environment.js";
import { assertMeasurable, assertQuiet } from "./machine.js";
import { KOA_SEND, NGINX } from "./names.js";
import { page, results } from "./page.js";
import { picture } from "./picture.js";
import { movesOf, type Ratios, ratiosOf } from "./ratios.js";
import type { RunLength } from "./rounds.js";
import { type Findings, run } from "./run.js";

const LONG: RunLength = { rounds: 9, warmUp: 10, leadIn: 0.2, measured: 1 };
const SHORT: RunLength = { rounds: 5, warmUp: 5, leadIn: 0.1, measured: 0.5 };
/** The share by which a ratio may differ from that of the last full run. */
const TOLERANCE = 0.2;

const checkout = resolve(import.meta.dirname, "../../..");
const ratiosFile = join(checkout, "test/bench/ratios.json");
const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    short: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    force: { type: "boolean", default: false },
  },
});
const isKept = !values.short && !values.check;
const length = isKept ? LONG : SHORT;
const rounds = Number(values.rounds ?? length.rounds);

assertMeasurable();
if (!(rounds >= 1)) throw new Error(`"--rounds" is ${values.rounds}. Give a number from 1 up.`);
if (!values.short && !values.force) assertQuiet('say "-- --force", or "-- --short", which only prints.');
const compared = contestants.filter(({ name, ours }) => !values.check || ours || name === KOA_SEND || name === NGINX);
const findings = await run(compared, { ...length, rounds }, (line) => console.log(line));
console.log(`\n${results(findings)}`);
if (isKept) await keep(findings);
if (values.check) await check(findings);

async function keep(findings: Findings): Promise<void> {
  const docs = join(checkout, "docs");
  const environment = await describeEnvironment(checkout, { ...applicationPackages, ...peerPackages });
  environment.versions.push(...(await nginxVersion()));
  await writeFile(join(docs, "performance.md"), page(findings, environment));
  await writeFile(join(docs, "performance.svg"), picture(findings.samples));
  await writeFile(ratiosFile, `${JSON.stringify(ratiosOf(findings), null, 2)}\n`);
  console.log("Written to docs/performance.md, docs/performance.svg and test/bench/ratios.json.");
}

async function check(findings: Findings): Promise<void> {
  const before = JSON.parse(await readFile(ratiosFile, "utf8")) as Ratios;
  const now = ratiosOf(findings);
  const moves = movesOf(before, now, TOLERANCE);
  const missing = Object.keys(before).filter((name) => !(name in now));
  for (const { name, from, to } of moves) console.log(`${name}: was ${from}, is ${to}`);
  for (const name of missing) console.log(`${name}: not measured`);
  console.log(`${moves.length} of ${Object.keys(before).length} ratios have moved by more than ${TOLERANCE * 100} %.`);
  if (moves.length > 0) process.exitCode = 1;
}
