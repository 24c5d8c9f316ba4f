import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
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

  /** Waits until that many changes more have ended and a writer is at work. */
  async work(changes: number): Promise<void> {
    const due = this.#ended + changes;
    while ((this.#ended < due || this.#ready.size === 0) && this.done.failures.length === 0) {
      await once(this.#news, "news");
    }
  }

  /** Kills a writer that is at work, whichever, and puts another one in its place. */
  async killOne(): Promise<void> {
    const writer = this.random.pick([...this.#ready]);
    if (!writer) return;
    this.#forget(writer);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    this.#add();
  }

  /** Lets all writers finish what they are at. Those that have not begun are killed. */
  async stop(): Promise<void> {
    const exits = [...this.#writers].map((writer) => {
      if (this.#ready.has(writer)) writer.send("stop");
      else writer.kill("SIGKILL");
      return once(writer, "exit");
    });
    this.#writers.clear();
    this.#ready.clear();
    await Promise.all(exits);
  }

  #add(): void {
    const order: WriterOrder = { ...this.order, seed: this.random.below(2 ** 32) };
    const writer = fork(WRITER, [JSON.stringify(order)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#writers.add(writer);
    writer.on("message", (message: WriterMessage) => this.#hear(writer, message));
    writer.on("exit", (code, signal) => {
      if (signal !== "SIGKILL" && code !== 0) {
        this.#forget(writer);
        this.#fail(`a writer ended with ${signal ?? code}`);
      }
    });
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
