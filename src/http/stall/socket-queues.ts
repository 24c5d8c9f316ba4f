import { readFile, readlink } from "node:fs/promises";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

/** What Node keeps of a connection, and doesn't document. Another runtime may have none of it. */
interface Handle {
  /** How many bytes of the writes that are under way the operating system has not taken yet. */
  writeQueueSize?: number;
  fd?: number;
}

/** A text that changes when a connection is given something to send, or the operating system takes something of that. */
export function unwritten(socket: Socket): string {
  return `${socket.bytesWritten} ${socket.writableLength} ${handleOf(socket)?.writeQueueSize}`;
}

/**
 * For each connection how many bytes of what the operating system has taken its other side has not acknowledged; on Linux, for
 * TCP. Its buffer takes more only when a third is empty, which is megabytes on a fast line: minutes of a client
 * that is slow, or that is behind a proxy.
 *
 * One reading of `/proc/net/tcp` and `/proc/net/tcp6` tells of all.
 */
export async function unacknowledged(sockets: Socket[]): Promise<Map<Socket, number>> {
  // Whatever waited to be written while the process was held up is written before this goes on.
  await setImmediate();
  if (process.platform !== "linux" || sockets.length === 0) return new Map();
  const [inodes, ...tables] = await Promise.all([
    Promise.all(sockets.map(inodeOf)),
    ...["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "latin1").catch(() => "")),
  ]);
  const queues = new Map(tables.flatMap(queuesIn));
  return new Map(
    sockets.flatMap((socket, n) => {
      const queue = queues.get(inodes[n] ?? "");
      return queue === undefined ? [] : [[socket, queue] as const];
    }),
  );
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as { _handle?: Handle | null })._handle ?? undefined;
}

async function inodeOf(socket: Socket): Promise<string | undefined> {
  const link = await readlink(`/proc/self/fd/${handleOf(socket)?.fd}`).catch(() => "");
  return /^socket:\[(\d+)\]$/.exec(link)?.[1];
}

/** A line: number, addresses, state, tx_queue:rx_queue, timer, retransmissions, user, timeout, inode (proc(5)). */
const LINE = /^ *\d+: \S+ \S+ \S+ (\w+):\w+ \S+ \w+ +\d+ +\d+ (\d+) /gm;

function queuesIn(table: string): [inode: string, queue: number][] {
  return Array.from(table.matchAll(LINE), ([, queue, inode]) => [inode!, Number.parseInt(queue!, 16)]);
}
