import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** What is to be called when a response is over. Its connection has the same, until then. */
type Callbacks = (() => void)[];

const ofResponse = new WeakMap<ServerResponse, Callbacks>();
const ofSocket = new WeakMap<Socket, Set<Callbacks>>();

/**
 * Calls back once, when a response is over: sent, cut off, or dropped. A response that waits behind another one on its
 * connection is not told when that connection closes; so the connection is listened to as well.
 *
 * Adds one listener to a response and one to a connection, however often it is called: others listen to them, too, and
 * Node warns of more than ten.
 */
export function whenOver({ req, res }: Exchange, callback: () => void): void {
  if (isOver({ req, res })) callback();
  else (ofResponse.get(res) ?? listen(res, req.socket)).push(callback);
}

/** Whether nobody is there any more to be answered. */
export function isOver({ req, res }: Exchange): boolean {
  return res.closed || req.socket.destroyed;
}

/**
 * Cuts off a response of which less was sent than was promised: its connection or, over HTTP/2, its stream. Without an error Node would
 * reset a stream with NO_ERROR, and clients, Node's own among them, would take what they got by then for the whole.
 */
export function cutOff(res: Writable): void {
  if ("createPushResponse" in res)
    res.destroy(Object.assign(new Error("The response was cut off."), { code: "ECONNRESET" }));
  else res.destroy();
}

function listen(res: ServerResponse, socket: Socket): Callbacks {
  const callbacks: Callbacks = [];
  const waiting = ofSocket.get(socket) ?? listenToSocket(socket);
  ofResponse.set(res, callbacks);
  waiting.add(callbacks);
  res.once("close", () => {
    waiting.delete(callbacks);
    call(callbacks);
  });
  return callbacks;
}

function listenToSocket(socket: Socket): Set<Callbacks> {
  const waiting = new Set<Callbacks>();
  ofSocket.set(socket, waiting);
  socket.once("close", () => {
    for (const callbacks of waiting) call(callbacks);
  });
  return waiting;
}

/** Once: what closes first takes them. */
function call(callbacks: Callbacks): void {
  for (const callback of callbacks.splice(0)) callback();
}
