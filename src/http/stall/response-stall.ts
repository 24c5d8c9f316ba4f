import type { IncomingMessage, ServerResponse } from "node:http";
import { cutOff, whenOver } from "../response-over.js";
import { watchForStall } from "./stall-watch.js";

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
 * @param seconds how long it may make no progress. Over HTTP/1 it is cut up to a tenth later.
 * @returns to be called when a write was taken whole: over HTTP/2 there is no other sign of writes that are smaller than the
 *   stream's buffer and wait for each other.
 */
export function cutWhenStalled(exchange: Exchange, seconds: number): () => void {
  if (exchange.req.httpVersionMajor > 1) return cutStream(exchange, seconds * 1000);
  cutConnection(exchange, seconds * 1000);
  return () => {};
}

function cutConnection(exchange: Exchange, milliseconds: number): void {
  const { res } = exchange;
  const { socket } = exchange.req;
  const { timeout = 0 } = socket;
  // Node's own clock takes the first part of a write for progress only when it runs out, and waits as long again.
  socket.setTimeout(0);
  // Before Node sets the time that a connection may stay open without a request.
  res.prependOnceListener("finish", () => socket.setTimeout(timeout));
  const stop = watchForStall({ socket, begun: () => res.headersSent, cut: () => cutOff(res) }, milliseconds);
  whenOver(exchange, stop);
}

/** The socket's progress is that of any stream of the connection. */
function cutStream(exchange: Exchange, milliseconds: number): () => void {
  const { res } = exchange;
  let timer: NodeJS.Timeout | undefined;
  const progress = () => void timer?.refresh();
  timer = setTimeout(() => (res.headersSent ? cutOff(res) : progress()), milliseconds).unref();
  res.on("drain", progress);
  whenOver(exchange, () => {
    clearTimeout(timer);
    timer = undefined;
  });
  return progress;
}
