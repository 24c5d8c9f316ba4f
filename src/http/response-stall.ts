import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Cuts the connection of a response that makes no progress for a while: the client takes nothing, or there is nothing to
 * send to it. Over HTTP/2 it cuts the stream.
 *
 * Progress is what the operating system takes of the response. It has a buffer for each connection, so a client is noticed
 * as stalling when that is full, and a slow one makes progress in steps. The time counts from the headers on.
 *
 * @param seconds how long it may make no progress.
 */
export function cutWhenStalled({ req, res }: { req: IncomingMessage; res: ServerResponse }, seconds: number): void {
  const { timeout } = req.socket;
  // Node's own clock looks at what is left of a write that is under way, which no listener could.
  res.setTimeout(seconds * 1000, () => {
    if (res.headersSent) res.destroy();
  });
  if (req.httpVersionMajor > 1) return;
  // Before Node sets the time that a connection may stay open without a request.
  res.prependOnceListener("finish", () => req.socket.setTimeout(timeout ?? 0));
}
