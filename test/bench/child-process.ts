import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";

/** The core of the measured process and the core of the load: far apart, as neighbours may be threads of one core. */
export const cores = { measured: cpus().length - 1, load: 0 };

const canPin = spawnSync("taskset", ["--version"]).status === 0;

/**
 * Starts a Node program as in production.
 *
 * @param on the cores that it may use, as taskset reads them. (default: the core of the measured process)
 */
export function startNode(program: string, args: readonly string[], on = `${cores.measured}`): ChildProcess {
  const env = { ...process.env, NODE_ENV: "production" };
  if (!canPin) return fork(program, args, { env, execArgv: [] });
  return fork(program, args, { env, execPath: "taskset", execArgv: ["-c", on, process.execPath] });
}

/**
 * Waits for a program's first message.
 *
 * @throws Error when the program ends without it.
 */
export async function messageOf<T extends object>(child: ChildProcess): Promise<T> {
  const [message] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [T | number | null];
  if (typeof message === "object" && message) return message;
  throw new Error(`Benchmark: "${child.spawnargs.join(" ")}" ended without a result. Its error is above.`);
}

/** Runs a program to its end, and gives its only message. */
export async function resultOf<T extends object>(program: string, args: readonly string[], on?: string): Promise<T> {
  const child = startNode(program, args, on);
  const exited = once(child, "exit");
  const result = await messageOf<T>(child);
  await exited;
  return result;
}

/** Keeps a running process, with all its threads, on a core. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync("taskset", ["-apc", `${core}`, `${pid}`]);
}
