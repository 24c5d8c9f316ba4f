import { isOver, whenOver } from "../../http/response-over.js";
import type { Storage } from "../../storage/storage.js";
import type { Download } from "../delivery.js";

/** How many chunks are read from one storage at once: what a pool of four threads is busy with, and then some. */
const AT_ONCE = 32;

/** The turns of one download, which has one at a time. */
export interface Turns {
  /** Waits for a turn. */
  begin(): Promise<void>;
  /** Lets others have it. Does nothing without one. */
  end(): void;
}

/**
 * Has the downloads from a storage read their chunks in turn. Who waits for the disk needs no memory yet: of a thousand downloads
 * at once each would else get a small chunk, and cost many times as much.
 */
export function turnsOf({ ctx, storage }: Pick<Download, "ctx" | "storage">): Turns {
  const queue = queueOf(storage);
  let hasTurn = false;
  const end = () => {
    if (hasTurn) queue.leave();
    hasTurn = false;
  };
  // A storage may never answer. Once the client is gone, others have its turn.
  whenOver(ctx, end);
  return {
    async begin() {
      await queue.enter();
      hasTurn = true;
      if (isOver(ctx)) end();
    },
    end,
  };
}

/** What is read from one storage, and who waits for that. What one storage is slow at holds up no other. */
class ReadQueue {
  private reading = 0;
  private readonly waiting: (() => void)[] = [];

  async enter(): Promise<void> {
    if (this.reading === AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.reading++;
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.reading--;
  }
}

const queues = new WeakMap<Storage, ReadQueue>();

function queueOf(storage: Storage): ReadQueue {
  const queue = queues.get(storage) ?? new ReadQueue();
  queues.set(storage, queue);
  return queue;
}
