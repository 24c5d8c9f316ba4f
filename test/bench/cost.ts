import { cpuSeconds } from "./processes.js";
import { median } from "./statistics.js";

/** The seconds that some work took this process. */
export interface Cost {
  /** Of all threads. */
  cpu: number;
  /** From its begin to its end. */
  time: number;
}

/** Does some work a number of times, and gives the medians. */
export async function medianCost(times: number, work: () => Promise<unknown>): Promise<Cost> {
  const costs: Cost[] = [];
  while (costs.length < times) {
    const cpu = cpuSeconds(process.pid);
    const began = performance.now();
    await work();
    costs.push({ time: (performance.now() - began) / 1000, cpu: cpuSeconds(process.pid) - cpu });
  }
  return { cpu: median(costs.map(({ cpu }) => cpu)), time: median(costs.map(({ time }) => time)) };
}
