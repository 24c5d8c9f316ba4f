import { cpus, loadavg, release, type } from "node:os";
import { sqlite } from "./databases.js";

/** How busy each core may be, on average, before the figures are worth little. */
const QUIET = 0.5;
const WITHOUT_BETTER_SQLITE3 =
  'better-sqlite3 is not installed, so sql.js takes its place, and the figures do not compare with those in docs/performance.md. Run ".ci/run", which builds it, or "npm install --no-save better-sqlite3@12".';

/** Describes the machine, the versions that matter most, and the load, in a line of Markdown. */
export function describeEnvironment(): string {
  const processors = cpus();
  const [load] = loadavg() as [number];
  const isBusy = load > QUIET * processors.length;
  if (isBusy) console.error("The machine is busy. Ratios still say something, absolute figures do not.");
  if (!sqlite.driver) console.error(WITHOUT_BETTER_SQLITE3);
  return [
    `${processors[0]?.model ?? "Unknown processor"}, ${processors.length} cores, ${type()} ${release()}`,
    `Node ${process.versions.node}`,
    `${sqlite.name} ${sqlite.version ?? ""}`.trim(),
    `load average ${load.toFixed(1)}${isBusy ? " (busy)" : ""}`,
  ].join("; ");
}
