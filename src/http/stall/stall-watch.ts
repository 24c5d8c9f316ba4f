import type { Socket } from "node:net";
import { unacknowledged, unwritten } from "./socket-queues.js";

/** A response on its connection. */
export interface Watched {
  socket: Socket;
  /** What of the connection is the response's, if it has not all of it. */
  part?: Part;
  /** Whether its headers were sent: before, it can't stall. */
  begun(): boolean;
  cut(): void;
}

/** A response's part of a connection. */
export interface Part {
  /** A text that changes when the response gets on. */
  unwritten(): string;
  /** Whether bytes of the response may be among those that the other side has not acknowledged. */
  isUnderWay(unacknowledged: number): boolean;
}

/** What was last seen of a response, when that was new, and how many looks found nothing new since. */
interface Progress {
  unwritten?: string;
  unacknowledged?: number;
  since: number;
  looks: number;
}

/** How often responses are looked at in the time that they may stall. */
const LOOKS = 10;

/** How many looks have to find nothing new: after a process was held up, its clients had no time to take anything. */
const FEWEST_LOOKS = 4;

const watches = new Map<number, StallWatch>();

/**
 * Cuts a response once its client has taken nothing for so long, or up to a tenth longer. All responses with one timeout are
 * looked at together, ten times in that time.
 *
 * @returns to be called when the response is over.
 */
export function watchForStall(watched: Watched, milliseconds: number): () => void {
  const watch = watches.get(milliseconds) ?? new StallWatch(milliseconds);
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

  constructor(private readonly milliseconds: number) {
    this.timer = setInterval(() => void this.look(), milliseconds / LOOKS).unref();
  }

  add(watched: Watched): void {
    this.watched.set(watched, { since: performance.now(), looks: 0 });
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
      if (!this.watched.has(entry[0]) || !isStill(entry)) continue;
      if (hasStalled(entry, queues.get(entry[0].socket), this.milliseconds)) entry[0].cut();
    }
    this.looking = false;
  }
}

/** Whether this process has got rid of nothing since the last look. */
function isStill([{ socket, part, begun }, progress]: [Watched, Progress]): boolean {
  const now = begun() ? (part?.unwritten() ?? unwritten(socket)) : undefined;
  if (now !== undefined && now === progress.unwritten) return true;
  noteProgress(progress);
  Object.assign(progress, { unwritten: now, unacknowledged: undefined });
  return false;
}

/** Whether a response that this process can't get on with has stalled for long enough: its client has acknowledged nothing of it either. */
function hasStalled(
  [{ part }, progress]: [Watched, Progress],
  unacknowledged: number | undefined,
  milliseconds: number,
): boolean {
  const before = progress.unacknowledged;
  progress.unacknowledged = unacknowledged;
  progress.looks++;
  const isOther = before !== undefined && unacknowledged !== undefined && before !== unacknowledged;
  if (isOther && (part === undefined || part.isUnderWay(unacknowledged))) noteProgress(progress);
  return performance.now() - progress.since >= milliseconds && progress.looks >= FEWEST_LOOKS;
}

function noteProgress(progress: Progress): void {
  progress.since = performance.now();
  progress.looks = 0;
}
