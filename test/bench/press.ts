import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AnswerReader } from "./answer-reader.js";

/** The largest read. Every connection reads into the same memory, as each read is dealt with before the next one. */
const buffer = Buffer.allocUnsafe(1024 * 1024);
/** The milliseconds after which a connection on which nothing happens has failed. */
const PATIENCE = 30_000;

/** The milliseconds in which a server gets done with an answer whose last byte has come. */
const AFTERMATH = 20;

/** What is asked for, again and again. */
export interface Order {
  port: number;
  path: string;
  headers: Record<string, string>;
  /** What the answer must be. */
  status: number;
  /** How many bytes its body must have. (default: as many as it says) */
  length?: number;
  /** How many requests are under way at once, each on a connection of its own. */
  connections: number;
}

/** What came of it. Each request was answered as it must be. */
export interface Pressed {
  requests: number;
  /** Of all bodies. */
  bytes: number;
  /** From the first request to the end of the last answer. */
  seconds: number;
  /** How long each request took, in seconds, in no order. */
  latencies: number[];
}

/**
 * Keeps a server busy over keep-alive HTTP/1.1. An own client over `node:net`, since the parser of a library takes more
 * CPU for an answer than nginx takes to give it, and would measure itself: this one looks at the status and counts bytes.
 *
 * @param goesOn whether one request more is made, given how many have been.
 * @throws Error for an answer that is not as it must be, and for a connection that ends.
 */
export async function press(order: Order, goesOn: (made: number) => boolean): Promise<Pressed> {
  const pressed: Pressed = { requests: 0, bytes: 0, seconds: 0, latencies: [] };
  let made = 0;
  const next = () => goesOn(made) && made++ >= 0;
  const began = performance.now();
  const sockets = await Promise.all(Array.from({ length: order.connections }, () => keepAsking(order, next, pressed)));
  pressed.seconds = (performance.now() - began) / 1000;
  // To a server that is not done with it a connection that ends is one that was cut.
  await sleep(AFTERMATH);
  for (const socket of sockets) socket.destroy();
  return pressed;
}

/** One connection, from its first request to the end of the last answer; it stays open. */
function keepAsking(order: Order, next: () => boolean, pressed: Pressed): Promise<Socket> {
  const text = requestText(order);
  const reader = new AnswerReader();
  let sentAt = 0;
  return new Promise((resolve, reject) => {
    const ask = () => {
      sentAt = performance.now();
      if (next()) socket.write(text, "latin1");
      else resolve(socket);
    };
    const socket = openSocket(order.port, (bytes) => {
      const answer = reader.read(bytes);
      if (!answer) return;
      check(order, answer);
      pressed.requests++;
      pressed.bytes += answer.length;
      pressed.latencies.push((performance.now() - sentAt) / 1000);
      ask();
    });
    socket.on("connect", ask).on("error", reject);
    socket.on("close", () => reject(new Error(`${order.path}: the server closed the connection.`)));
  });
}

function requestText({ port, path, headers }: Order): string {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

function openSocket(port: number, receive: (bytes: Buffer) => void): Socket {
  const callback = (length: number) => {
    try {
      receive(buffer.subarray(0, length));
    } catch (error) {
      socket.destroy(error as Error);
    }
    return true;
  };
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
  return socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`Nothing has come for ${PATIENCE / 1000} s.`)));
}

function check({ path, status, length }: Order, answer: { status: number; length: number }): void {
  if (answer.status === status && answer.length === (length ?? answer.length)) return;
  throw new Error(`${path}: the answer is ${answer.status} with ${answer.length} bytes, not ${status} with ${length}.`);
}
