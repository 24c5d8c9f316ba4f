import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SweepReport } from "typeorm-private-files";
import type { Findings } from "./figures.js";
import { SWEPT } from "./foreign-objects.js";
import type { Random } from "./random.js";
import type { SweeperMessage, SweeperOrder } from "./sweeper.js";

const SWEEPER = fileURLToPath(new URL("./sweeper.js", import.meta.url));
/** About how many milliseconds a sweep takes. */
const LONGEST_SWEEP = 100;
/** Seconds that no change takes from its first upload to its commit. */
export const GRACE = 20;

/** Processes that sweep. */
export class Sweeps {
  constructor(
    private readonly order: Pick<SweeperOrder, "options" | "root">,
    private readonly random: Random,
    private readonly findings: Findings,
  ) {}

  /** Two at once sweep what is older than any change that is under way. One of them may be killed. */
  async besideWriters(): Promise<void> {
    const order = { ...this.order, olderThan: GRACE, prefixes: [] };
    const reports = await Promise.all([this.#sweep(order, false), this.#sweep(order, this.random.chance(0.5))]);
    for (const report of reports) this.findings.sweptBesideWriters += report?.removed ?? 0;
  }

  /** One is killed while it sweeps everything, and nobody writes. */
  async killOne(): Promise<void> {
    await this.#sweep(this.#all, true);
  }

  /** Two at once sweep everything while nobody writes. */
  async all(): Promise<void> {
    await Promise.all([this.#sweep(this.#all, false), this.#sweep(this.#all, false)]);
  }

  get #all(): SweeperOrder {
    return { ...this.order, olderThan: 0, prefixes: [SWEPT] };
  }

  async #sweep(order: SweeperOrder, isKilled: boolean): Promise<SweepReport | undefined> {
    const sweeper = fork(SWEEPER, [JSON.stringify(order)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let last: SweeperMessage | undefined;
    sweeper.on("message", (message: SweeperMessage) => (last = message));
    const exit = once(sweeper, "exit");
    await Promise.race([once(sweeper, "message"), exit]);
    if (isKilled) {
      await sleep(this.random.below(LONGEST_SWEEP));
      sweeper.kill("SIGKILL");
    }
    const [code, signal] = await exit;
    return this.#note(order, last, signal ?? code);
  }

  #note({ olderThan }: SweeperOrder, last: SweeperMessage | undefined, exit: string | number): SweepReport | undefined {
    const { sweeps, violations } = this.findings;
    const name = olderThan > 0 ? "sweep beside writers" : "sweep while nobody writes";
    if (typeof last !== "object") {
      sweeps.add([name, "killed"]);
      if (exit !== "SIGKILL") violations.push(`a ${name} ended with ${exit}`);
    } else if ("refused" in last) {
      sweeps.add([name, last.refused]);
    } else {
      sweeps.add([name, "done"]);
      const { missing, failed } = last.report;
      if (missing > 0) violations.push(`a ${name} found ${missing} rows without a file`);
      if (failed > 0) violations.push(`a ${name} could not remove ${failed} objects`);
      return last.report;
    }
    return undefined;
  }
}
