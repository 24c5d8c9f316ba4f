import { fork } from "node:child_process";
import { once } from "node:events";
import { cores, nodeOn } from "./cores.js";

/**
 * Runs a program to its end, and gives the one message that it sends.
 *
 * @param program the path of its module.
 * @param node how Node is started. (default: on the core of what is measured)
 * @throws Error when it ends without one.
 */
export async function resultOf<T extends object>(
  program: string,
  args: readonly string[],
  node = nodeOn(cores.server),
): Promise<T> {
  const env = { ...process.env, NODE_ENV: "production" };
  const child = fork(program, args, { ...node, env });
  const exited = once(child, "exit");
  const [result] = (await Promise.race([once(child, "message"), exited])) as [T | number | null];
  await exited;
  if (typeof result !== "object" || !result) throw new Error(`${[program, ...args].join(" ")} has failed.`);
  return result;
}
