import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { cutOff, whenOver } from "../response-over.js";
import { type Part, watchForStall } from "./stall-watch.js";

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/**
 * Cuts the connection of a response that makes no progress for a while: the client takes nothing, or there is nothing to
 * send to it. Over HTTP/2 it cuts the stream, and leaves the connection to the others.
 *
 * Progress is what the operating system takes of the response, and on Linux what the other side acknowledges of that; over
 * HTTP/2, a write that was taken whole. The time counts from the headers on.
 *
 * @param seconds how long it may make no progress. It is cut up to a tenth later.
 * @returns to be called when a write was taken whole: over HTTP/2 there is no other sign of writes that are smaller than the
 *   stream's buffer and wait for each other.
 */
export function cutWhenStalled(exchange: Exchange, seconds: number): () => void {
  const { req, res } = exchange;
  const part = req.httpVersionMajor > 1 ? new StreamPart(req.socket) : undefined;
  if (part) res.on("drain", () => part.noteProgress());
  else keepTimeout(exchange);
  const watched = { socket: req.socket, part, begun: () => res.headersSent, cut: () => cutOff(res) };
  whenOver(exchange, watchForStall(watched, seconds * 1000));
  return () => part?.noteProgress();
}

/** Turns off the connection's own timeout while the response is sent. */
function keepTimeout({ req: { socket }, res }: Exchange): void {
  const { timeout = 0 } = socket;
  // Node's own clock takes the first part of a write for progress only when it runs out, and waits as long again.
  socket.setTimeout(0);
  // Before Node sets the time that a connection may stay open without a request.
  res.prependOnceListener("finish", () => socket.setTimeout(timeout));
}

/** A stream's part of what its connection sends. The progress of the connection is that of any stream. */
class StreamPart implements Part {
  private writes = 0;
  private upTo = 0;

  constructor(private readonly socket: Socket) {}

  /** A write of the stream was taken whole. */
  noteProgress(): void {
    this.writes++;
    this.upTo = this.socket.bytesWritten;
  }

  unwritten(): string {
    return `${this.writes}`;
  }

  isUnderWay(unacknowledged: number): boolean {
    return this.socket.bytesWritten - unacknowledged < this.upTo;
  }
}
