import type { IncomingMessage, ServerResponse } from "node:http";
import { whenOver } from "./response-over.js";

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/**
 * Cuts the connection of a response that makes no progress for a while: the client takes nothing, or there is nothing to
 * send to it. Over HTTP/2 it cuts the stream, and leaves the connection to the others.
 *
 * Progress is what the operating system takes of the response; over HTTP/2, a write that was taken whole. The system has a
 * buffer for each connection, so a client is noticed as stalling when that is full, and a slow one makes progress in
 * steps. The time counts from the headers on.
 *
 * @param seconds how long it may make no progress.
 * @returns to be called when a write was taken whole: over HTTP/2 there is no other sign of writes that are smaller than the
 *   stream's buffer and wait for each other.
 */
export function cutWhenStalled(exchange: Exchange, seconds: number): () => void {
  if (exchange.req.httpVersionMajor > 1) return cutStream(exchange, seconds * 1000);
  cutConnection(exchange, seconds * 1000);
  return () => {};
}

function cutConnection({ req, res }: Exchange, milliseconds: number): void {
  const { timeout = 0 } = req.socket;
  // Node's own clock looks at what is left of a write that is under way, which no listener could.
  res.setTimeout(milliseconds, () => {
    if (res.headersSent) res.destroy();
  });
  // Before Node sets the time that a connection may stay open without a request.
  res.prependOnceListener("finish", () => req.socket.setTimeout(timeout));
}

/** Node's own clock takes what any stream of the connection sends for progress of each. */
function cutStream(exchange: Exchange, milliseconds: number): () => void {
  const { res } = exchange;
  let timer: NodeJS.Timeout | undefined;
  const progress = () => void timer?.refresh();
  timer = setTimeout(() => (res.headersSent ? res.destroy() : progress()), milliseconds).unref();
  res.on("drain", progress);
  whenOver(exchange, () => {
    clearTimeout(timer);
    timer = undefined;
  });
  return progress;
}
