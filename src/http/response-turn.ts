import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isOver, whenOver } from "./response-over.js";

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** How many responses of a connection may wait before no more requests are read from it. */
const MOST_WAITING = 100;

/** How many responses of each connection wait. */
const waiting = new WeakMap<Socket, number>();

/**
 * Waits until a response is the next to be sent on its connection, or the connection is closed. A client of HTTP/1.1 may send many
 * requests before it reads the first response, and the responses go out in that order (RFC 9112 §9.3.2). A stream of HTTP/2 does not wait.
 *
 * While 100 responses wait, their connection is not read, so that no client can fill the memory with requests.
 */
export async function untilTurn(exchange: Exchange): Promise<void> {
  const { req } = exchange;
  if (isNext(exchange) || isOver(exchange)) return;
  noteWaiting(req.socket, 1);
  await new Promise<void>((resolve) => {
    exchange.res.once("socket", () => resolve());
    whenOver(exchange, resolve);
  });
  noteWaiting(req.socket, -1);
}

/**
 * Node gives a response its socket, and emits "socket", when the responses before it are finished. Without a connection, as in a unit
 * test, that would never happen.
 */
function isNext({ req, res }: Exchange): boolean {
  return !(res instanceof ServerResponse) || res.socket !== null || req.socket.pending !== false;
}

function noteWaiting(socket: Socket, change: 1 | -1): void {
  const before = waiting.get(socket);
  // Node itself resumes a socket whenever it has room to write again, and whenever a response is finished.
  if (before === undefined) socket.on("resume", () => pauseIfTooManyWait(socket));
  const count = (before ?? 0) + change;
  waiting.set(socket, count);
  pauseIfTooManyWait(socket);
  if (change < 0 && count === MOST_WAITING - 1) socket.resume();
}

function pauseIfTooManyWait(socket: Socket): void {
  if ((waiting.get(socket) ?? 0) >= MOST_WAITING) socket.pause();
}
