import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { cores, nodeOn } from "./cores.js";
import type { LoadMessage } from "./load-process.js";
import type { Slice, SliceOrder } from "./slice.js";

/** The generator of the load, a process on a core of its own. */
export class Load {
  private readonly process: ChildProcess = fork(join(import.meta.dirname, "load-process.js"), nodeOn(cores.load));
  private readonly ended = new AbortController();

  constructor() {
    this.process.on("exit", () => this.ended.abort(new Error("The process that makes the load has ended.")));
  }

  /** @throws Error when the server did not answer each request as it must. */
  async measure(order: SliceOrder): Promise<Slice> {
    const answered = once(this.process, "message", { signal: this.ended.signal });
    this.process.send(order);
    const [message] = (await answered) as [LoadMessage];
    if ("failed" in message) throw new Error(message.failed);
    return message.slice;
  }

  /** Ends the process. What is being measured fails. */
  stop(): void {
    if (this.process.connected) this.process.disconnect();
  }
}
