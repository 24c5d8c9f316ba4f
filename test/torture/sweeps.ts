import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Findings } from "./figures.js";
import { SWEPT } from "./foreign-objects.js";
import type { Random } from "./random.js";
import type { SweeperMessage, SweeperOrder } from "./sweeper.js";

const SWEEPER = fileURLToPath(new URL("./sweeper.js", import.meta.url));
/** About how many milliseconds a sweep takes. */
const LONGEST_SWEEP = 100;
/** Seconds that no change takes from its first upload to its commit. */
export const GRACE = 20;

/** How many sweeps beside the writers follow each other. */
const TIMES = 10;

/** Processes that sweep. */
export class Sweeps {
  constructor(
    private readonly order: Pick<SweeperOrder, "options" | "root">,
    private readonly random: Random,
    private readonly findings: Findings,
  ) {}

  /** Two at once sweep what is older than any change that is under way. One of them may be killed. */
  async besideWriters(): Promise<void> {
    const order = { ...this.order, olderThan: GRACE, prefixes: [], times: TIMES };
    await Promise.all([this.#sweep(order, false), this.#sweep(order, this.random.chance(0.5))]);
  }

  /** One is killed while it sweeps everything, without writers. */
  async killOne(): Promise<void> {
    await this.#sweep(this.#all, true);
  }

  /** Two at once sweep everything, without writers. */
  async all(): Promise<void> {
    await Promise.all([this.#sweep(this.#all, false), this.#sweep(this.#all, false)]);
  }

  get #all(): SweeperOrder {
    return { ...this.order, olderThan: 0, prefixes: [SWEPT], times: 1 };
  }

  async #sweep(order: SweeperOrder, isKilled: boolean): Promise<void> {
    const name = order.olderThan > 0 ? "sweep beside writers" : "sweep without writers";
    const sweeper = fork(SWEEPER, [JSON.stringify(order)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    sweeper.on("message", (message: SweeperMessage) => this.#hear(name, message));
    const exit = once(sweeper, "exit");
    await Promise.race([once(sweeper, "message"), exit]);
    if (isKilled) {
      await sleep(this.random.below(LONGEST_SWEEP * order.times));
      sweeper.kill("SIGKILL");
    }
    const [code, signal] = await exit;
    if (signal === "SIGKILL") this.findings.sweeps.add([name, "killed"]);
    else if (code !== 0) this.findings.violations.push(`a ${name} ended with ${signal ?? code}`);
  }

  #hear(name: string, message: SweeperMessage): void {
    if (message === "ready") return;
    const { findings } = this;
    findings.sweeps.add([name, "report" in message ? "done" : message.refused]);
    if ("refused" in message) return;
    const { missing, failed, removed } = message.report;
    if (missing > 0) findings.violations.push(`a ${name} found ${missing} rows without a file`);
    if (failed > 0) findings.violations.push(`a ${name} could not remove ${failed} objects`);
    if (name === "sweep beside writers") findings.sweptBesideWriters += removed;
  }
}
