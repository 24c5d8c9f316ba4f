import { cpuSeconds } from "../processes.js";

/** What work took this process, in seconds. */
export interface Cost {
  /** Of all threads. */
  cpu: number;
  /** From its begin to its end. */
  seconds: number;
}

/** Does something, and tells what that took. */
export async function costOf<T>(work: () => Promise<T>): Promise<Cost & { result: T }> {
  const before = cpuSeconds(process.pid);
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  return { result, seconds, cpu: cpuSeconds(process.pid) - before };
}
