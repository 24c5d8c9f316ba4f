import { setTimeout as sleep } from "node:timers/promises";
import type { WholeAnswer } from "./answer-reader.js";
import type { Connection } from "./connection.js";

/** The milliseconds in which a server finishes its work after the last byte. */
const AFTERMATH = 20;

/** A request that is made again and again. */
export interface Request {
  path: string;
  headers: Record<string, string>;
  /** The status that the answer must have. */
  status: number;
  /** How many bytes its body must have. (default: as many as it says) */
  length?: number;
}

/** The number of requests, each of which was answered as it must be, and their time. */
export interface Pressed {
  requests: number;
  /** From the first request to the end of the last answer. */
  seconds: number;
}

/**
 * Makes the same request on some connections at once, on each as soon as the last answer has come.
 *
 * @param goesOn whether another request is made, given the number so far.
 * @throws Error for an answer that is not as it must be.
 */
export async function press(
  connections: readonly Connection[],
  request: Request,
  goesOn: (made: number) => boolean,
): Promise<Pressed> {
  const pressed: Pressed = { requests: 0, seconds: 0 };
  const text = requestText(request);
  const began = performance.now();
  let made = 0;
  const keepAsking = async (connection: Connection) => {
    while (goesOn(made)) {
      made++;
      check(request, await connection.ask(text));
      pressed.requests++;
    }
  };
  await Promise.all(connections.map(keepAsking));
  pressed.seconds = (performance.now() - began) / 1000;
  await sleep(AFTERMATH);
  return pressed;
}

function requestText({ path, headers }: Request): string {
  const lines = Object.entries({ host: "127.0.0.1", ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

function check({ path, status, length }: Request, answer: WholeAnswer): void {
  if (answer.status === status && answer.length === (length ?? answer.length)) return;
  throw new Error(`${path}: the answer is ${answer.status} with ${answer.length} bytes, not ${status} with ${length}.`);
}
