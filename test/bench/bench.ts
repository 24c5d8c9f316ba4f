// "npm run bench" measures all parts and prints their tables as Markdown; progress goes to standard error.
// "-- start sweeps" measures these parts, "-- --short --rounds 1" takes a first look.
import { mkdtemp, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cores, pin } from "./child-process.js";
import { downloads } from "./downloads.js";
import { describeEnvironment } from "./environment.js";
import { makeFiles } from "./files.js";
import { columns, rows } from "./growth.js";
import { requestUploads } from "./request-uploads.js";
import type { RunLength } from "./rounds.js";
import { start } from "./start.js";
import { sweeps } from "./sweeps.js";
import { uploads } from "./uploads.js";

const parts: Record<string, (folder: string, length: RunLength) => Promise<string>> = {
  downloads,
  start,
  rows,
  columns,
  uploads,
  requests: requestUploads,
  sweeps,
};
const LONG: RunLength = { rounds: 9, warmUp: 10, leadIn: 0.2, measured: 1 };
const SHORT: RunLength = { rounds: 3, warmUp: 3, leadIn: 0.1, measured: 0.3 };

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string" }, short: { type: "boolean", default: false } },
  allowPositionals: true,
});
const length = values.short ? SHORT : LONG;
const rounds = Number(values.rounds ?? length.rounds);
const chosen = positionals.length > 0 ? positionals : Object.keys(parts);
assertUsable();

// This process makes the load.
pin(process.pid, cores.load);
const folder = await mkdtemp(join(tmpdir(), "private-files-bench-"));
const interruption = new AbortController();
process.once("SIGINT", () => interruption.abort(new Error("Benchmark: interrupted.")));
try {
  console.log(describeEnvironment());
  await makeFiles(folder);
  for (const name of chosen) {
    console.error(`Part ${name}`);
    console.log(`\n${await parts[name]!(folder, { ...length, rounds, signal: interruption.signal })}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function assertUsable(): void {
  if (platform() !== "linux") throw new Error("Benchmark: the CPU of processes is read from /proc. Run it on Linux.");
  if (!(rounds >= 1)) throw new Error(`"--rounds" is ${values.rounds}. Give a number from 1 up.`);
  const unknown = chosen.find((name) => !Object.hasOwn(parts, name));
  if (unknown) throw new Error(`Benchmark: unknown part "${unknown}". Choose from ${Object.keys(parts).join(", ")}.`);
}
