import type { Socket } from "node:net";
import { unacknowledged, unwritten } from "./socket-queues.js";

/** A response that has a connection to itself for now. */
export interface Watched {
  socket: Socket;
  /** Whether its headers were sent: before, it can't stall. */
  begun(): boolean;
  cut(): void;
}

/** What was last seen of a response, and for how many looks in a row nothing has changed. */
interface Progress {
  unwritten?: string;
  unacknowledged?: string;
  quiet: number;
}

/** How many looks in a row find a response as it was before it is cut. A process that was held up looks once, not often. */
const LOOKS = 10;

const watches = new Map<number, StallWatch>();

/**
 * Cuts a response once its client has taken nothing for so long, or up to a tenth longer. All responses with one timeout are
 * looked at together, ten times in that time.
 *
 * @returns to be called when the response is over.
 */
export function watchForStall(watched: Watched, milliseconds: number): () => void {
  const watch = watches.get(milliseconds) ?? new StallWatch(milliseconds / LOOKS);
  watches.set(milliseconds, watch);
  watch.add(watched);
  return () => {
    if (watch.delete(watched)) watches.delete(milliseconds);
  };
}

class StallWatch {
  private readonly watched = new Map<Watched, Progress>();
  private readonly timer: NodeJS.Timeout;
  private looking = false;

  constructor(interval: number) {
    this.timer = setInterval(() => void this.look(), interval).unref();
  }

  add(watched: Watched): void {
    this.watched.set(watched, { quiet: 0 });
  }

  /** Whether that was the last one, and the watch is over. */
  delete(watched: Watched): boolean {
    if (!this.watched.delete(watched) || this.watched.size > 0) return false;
    clearInterval(this.timer);
    return true;
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    const still = [...this.watched].filter(isStill);
    const queues = await unacknowledged(still.map(([{ socket }]) => socket));
    for (const entry of still) {
      // It may have been over, or have gone on, meanwhile.
      if (this.watched.has(entry[0]) && isStill(entry)) countQuiet(entry, queues.get(entry[0].socket));
    }
    this.looking = false;
  }
}

/** Whether this process has got rid of nothing since the last look. */
function isStill([{ socket, begun }, progress]: [Watched, Progress]): boolean {
  const now = begun() ? unwritten(socket) : undefined;
  if (now !== undefined && now === progress.unwritten) return true;
  Object.assign(progress, { unwritten: now, unacknowledged: undefined, quiet: 0 });
  return false;
}

function countQuiet([{ cut }, progress]: [Watched, Progress], now: string | undefined): void {
  const before = progress.unacknowledged;
  progress.unacknowledged = now;
  progress.quiet = before === undefined || before === now ? progress.quiet + 1 : 0;
  if (progress.quiet === LOOKS) cut();
}
