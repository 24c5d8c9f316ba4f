import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { LONGEST_WAIT } from "../support/eventually.js";
import { Tally, type Work } from "./figures.js";
import type { Keepsakes } from "./keepsakes.js";
import type { Random } from "./random.js";
import { GRACE } from "./sweeps.js";
import type { WriterMessage, WriterOrder } from "./writer.js";

const WRITER = fileURLToPath(new URL("./writer.js", import.meta.url));
const SIZE = 4;

/** Processes that write at the same time, each of which may be killed. */
export class Crew {
  readonly done: Work = { deeds: new Tally(), warnings: new Tally(), failures: [] };
  readonly #writers = new Set<ChildProcess>();
  readonly #ready = new Set<ChildProcess>();
  readonly #news = new EventEmitter();
  #ended = 0;

  constructor(
    private readonly order: Omit<WriterOrder, "seed" | "longest">,
    private readonly random: Random,
    private readonly keepsakes: Keepsakes,
  ) {}

  /** Begins with as many writers as a crew has. */
  start(): void {
    while (this.#writers.size < SIZE) this.#add();
  }

  /** Waits until that many changes more have ended and a writer is at work, or one has failed. Rejects when none is heard of. */
  async work(changes: number): Promise<void> {
    const due = this.#ended + changes;
    while ((this.#ended < due || this.#ready.size === 0) && this.done.failures.length === 0) {
      await once(this.#news, "news", { signal: AbortSignal.timeout(LONGEST_WAIT) });
    }
  }

  /** Kills a writer that is at work, whichever, and puts another one in its place. */
  async killOne(): Promise<void> {
    const writer = this.random.pick([...this.#ready]);
    if (!writer) return;
    this.#forget(writer);
    await kill(writer);
    this.#add();
  }

  /** Lets all writers finish what they are at. Those that have not begun are killed. */
  async stop(): Promise<void> {
    const exits = [...this.#writers].map((writer) => (this.#ready.has(writer) ? this.#finish(writer) : kill(writer)));
    this.#writers.clear();
    this.#ready.clear();
    await Promise.all(exits);
  }

  #add(): void {
    const order: WriterOrder = { ...this.order, seed: this.random.below(2 ** 32), longest: GRACE };
    const writer = fork(WRITER, [JSON.stringify(order)], {
      execArgv: ["--no-warnings"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#writers.add(writer);
    writer.on("message", (message: WriterMessage) => this.#hear(writer, message));
    writer.on("exit", (code, signal) => {
      this.#forget(writer);
      if (signal !== "SIGKILL" && code !== 0) this.#fail(`a writer ended with ${signal ?? code}`);
    });
  }

  async #finish(writer: ChildProcess): Promise<void> {
    const exit = once(writer, "exit");
    const late = setTimeout(() => {
      this.#fail("a writer did not come to its end");
      writer.kill("SIGKILL");
    }, LONGEST_WAIT);
    // One that has just ended can't be told.
    writer.send("stop", () => {});
    await exit;
    clearTimeout(late);
  }

  #hear(writer: ChildProcess, message: WriterMessage): void {
    if (message === "ready") {
      if (this.#writers.has(writer)) this.#ready.add(writer);
    } else if ("keepsake" in message) {
      this.keepsakes.hear(message.keepsake);
    } else if ("failed" in message) {
      this.#fail(message.failed);
    } else if ("warned" in message) {
      this.done.warnings.add([message.warned.split(":")[0]!, "times"]);
    } else {
      this.#ended++;
      for (const deed of message.done) this.done.deeds.add(deed);
    }
    this.#news.emit("news");
  }

  #fail(failure: string): void {
    this.done.failures.push(failure);
    this.#news.emit("news");
  }

  #forget(writer: ChildProcess): void {
    this.#writers.delete(writer);
    this.#ready.delete(writer);
  }
}

async function kill(writer: ChildProcess): Promise<void> {
  const exit = once(writer, "exit");
  writer.kill("SIGKILL");
  await exit;
}
