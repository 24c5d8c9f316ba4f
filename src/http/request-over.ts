import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import { finished } from "node:stream";

/** A request of any version of HTTP. */
export type Request = IncomingMessage | Http2ServerRequest;

/** What to call for the requests of a connection that are not over. */
type Waiting = Map<object, () => void>;

const ofSocket = new WeakMap<Socket, Waiting>();
let isSubscribed = false;

/**
 * Calls back once, when a request is over: when its response was sent, or its connection or its stream was closed. For code that has no
 * response to ask: a request's own `close` comes as soon as its body is read. Of several callbacks for one request the last is called.
 *
 * If the response was sent before, it calls back when the connection closes. For an object that has no connection it never does.
 */
export function whenRequestOver(request: Request, callback: () => void): void {
  if ("stream" in request) finished(request.stream, { readable: false }, callback);
  else if (!request.socket) return;
  else if (request.socket.destroyed) callback();
  else waitingOf(request.socket).set(request, callback);
}

/** Closes the connection of a request, or over HTTP/2 its stream, once the request is over. For a client that sends no more of it. */
export function closeWhenOver(request: Request): void {
  whenRequestOver(request, () => ("stream" in request ? request.stream.destroy() : request.destroy()));
}

function waitingOf(socket: Socket): Waiting {
  const known = ofSocket.get(socket);
  if (known) return known;
  subscribeOnce();
  const waiting: Waiting = new Map();
  ofSocket.set(socket, waiting);
  socket.once("close", () => {
    for (const callback of waiting.values()) callback();
  });
  return waiting;
}

/** Node publishes a message for every response of HTTP/1.1 once it is sent. */
function subscribeOnce(): void {
  if (!isSubscribed) subscribe("http.server.response.finish", onSent);
  isSubscribed = true;
}

function onSent(message: unknown): void {
  const { request, socket } = message as { request: IncomingMessage; socket: Socket };
  const waiting = ofSocket.get(socket);
  const callback = waiting?.get(request);
  waiting?.delete(request);
  callback?.();
}
