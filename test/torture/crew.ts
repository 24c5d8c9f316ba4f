import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { LONGEST_WAIT } from "../support/eventually.js";
import type { Random } from "./random.js";
import type { WriterMessage, WriterOrder } from "./writer.js";

const WRITER = fileURLToPath(new URL("./writer.js", import.meta.url));
const SIZE = 4;

/** What the writers of a crew have done. */
export interface Work {
  committed: number;
  /** As they wanted. */
  rolledBack: number;
  /** By the database or the package, for each reason. */
  refused: Record<string, number>;
  /** What must not have happened, in words. */
  failures: string[];
}

/** Processes that write at the same time, each of which may be killed. */
export class Crew {
  readonly done: Work = { committed: 0, rolledBack: 0, refused: {}, failures: [] };
  readonly #writers = new Set<ChildProcess>();
  readonly #ready = new Set<ChildProcess>();
  readonly #news = new EventEmitter();
  #ended = 0;

  constructor(
    private readonly order: Omit<WriterOrder, "seed">,
    private readonly random: Random,
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
    const order: WriterOrder = { ...this.order, seed: this.random.below(2 ** 32) };
    const writer = fork(WRITER, [JSON.stringify(order)], {
      execArgv: [],
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
    } else {
      this.#ended++;
      this.#count(message);
    }
    this.#news.emit("news");
  }

  #count(outcome: Exclude<WriterMessage, "ready">): void {
    if (outcome === "committed") this.done.committed++;
    else if (outcome === "rolled back") this.done.rolledBack++;
    else if ("failed" in outcome) this.#fail(outcome.failed);
    else this.done.refused[outcome.refused] = (this.done.refused[outcome.refused] ?? 0) + 1;
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
