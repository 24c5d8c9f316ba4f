import type { IncomingMessage, ServerResponse } from "node:http";

const waiting = new WeakMap<object, Set<() => void>>();

/**
 * Calls back once, when a response is over: sent, cut off, or dropped. A response that waits behind another one on its
 * connection is not told when that connection closes; so the connection is listened to as well, once for all its responses.
 */
export function whenOver({ req, res }: { req: IncomingMessage; res: ServerResponse }, callback: () => void): void {
  if (isOver({ req, res })) {
    callback();
    return;
  }
  const callbacks = callbacksOf(req.socket);
  const over = () => {
    if (callbacks.delete(over)) callback();
  };
  callbacks.add(over);
  res.once("close", over);
}

/** Whether nobody is there any more to be answered. */
export function isOver({ req, res }: { req: IncomingMessage; res: ServerResponse }): boolean {
  return res.closed || req.socket.destroyed;
}

function callbacksOf(socket: IncomingMessage["socket"]): Set<() => void> {
  const known = waiting.get(socket);
  if (known) return known;
  const callbacks = new Set<() => void>();
  waiting.set(socket, callbacks);
  socket.once("close", () => {
    for (const over of [...callbacks]) over();
  });
  return callbacks;
}
