import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

const waiting = new WeakMap<object, Set<() => void>>();

/**
 * Calls back once, when a response is over: sent, cut off, or dropped. A response that waits behind another one on its
 * connection is not told when that connection closes; so the connection is listened to as well.
 *
 * Adds one listener to a response and one to a connection, however often it is called: others listen to them, too, and
 * Node warns of more than ten.
 */
export function whenOver({ req, res }: Exchange, callback: () => void): void {
  if (isOver({ req, res })) {
    callback();
    return;
  }
  const both = [whenClosed(res), whenClosed(req.socket)];
  const over = () => {
    for (const callbacks of both) callbacks.delete(over);
    callback();
  };
  for (const callbacks of both) callbacks.add(over);
}

/** Whether nobody is there any more to be answered. */
export function isOver({ req, res }: Exchange): boolean {
  return res.closed || req.socket.destroyed;
}

/** What is called when an emitter closes. */
function whenClosed(emitter: EventEmitter): Set<() => void> {
  const known = waiting.get(emitter);
  if (known) return known;
  const callbacks = new Set<() => void>();
  waiting.set(emitter, callbacks);
  emitter.once("close", () => {
    for (const callback of [...callbacks]) callback();
  });
  return callbacks;
}
