import { cpus, loadavg, platform } from "node:os";

/** How many processes may run on each core, on average, when results are to be kept or compared. */
const QUIET = 0.5;

/** @throws Error where no process can be measured. */
export function assertMeasurable(): void {
  if (platform() !== "linux") throw new Error("The CPU of processes is read from /proc. Run the benchmark on Linux.");
}

/**
 * Makes sure that the machine has nothing else to do.
 *
 * @param otherwise what can be done all the same, for the message.
 * @throws Error when it has.
 */
export function assertQuiet(otherwise: string): void {
  const [running] = loadavg() as [number];
  if (running <= QUIET * cpus().length) return;
  throw new Error(
    `This machine has other things to do: its load is ${running.toFixed(1)}. Wait a minute, or ${otherwise}`,
  );
}
