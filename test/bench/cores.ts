import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

/** The core of the server that is measured, and that of the load: far from each other, as neighbours may be one core's threads. */
export const cores = { server: cpus().length - 1, load: 0 };

const canPin = spawnSync("taskset", ["--version"]).status === 0;

/** How Node is started so that it stays on a core, for `fork`. */
export function nodeOn(core: number): Executable {
  return canPin ? { execPath: "taskset", execArgv: ["-c", `${core}`, process.execPath] } : nodeAnywhere;
}

/** Node as it is started everywhere else, on any core. */
export const nodeAnywhere: Executable = { execPath: process.execPath, execArgv: [] };

/** What `fork` is told. */
export interface Executable {
  execPath: string;
  execArgv: string[];
}

/** Keeps a process that runs already on a core, with all its threads. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync("taskset", ["-apc", `${core}`, `${pid}`]);
}
