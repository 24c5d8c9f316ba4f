import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// Linux only. All in sync, as they are read right before and after a slice.

/** The CPU that a process with all its threads has used so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + nanosecondsOf(`/proc/${pid}/task/${thread}/schedstat`), 0) / 1e9;
}

/** The memory of a process that is resident now, in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** The most that was resident since {@link resetPeak}, in bytes. */
export function peakBytes(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

/** Resets the peak to the memory that is resident now. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function nanosecondsOf(schedstat: string): number {
  return Number(readFileSync(schedstat, "latin1").split(" ", 1)[0]);
}

function statusBytes(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line![1]) * 1024;
}
