import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Deviation } from "./case.js";

/** A request, to be written as it is: no client library smooths it. */
export interface Request {
  /** (default: GET) */
  method?: string;
  /** Headers beside Host; a list stands for several lines of one name. */
  headers?: Record<string, string | readonly string[]>;
  /** (default: 1.1) */
  version?: "1.0" | "1.1";
  /** Whether the server is told to close the connection after the answer. (default: true) */
  last?: boolean;
  /** (default: none) */
  body?: string;
}

/** A request's bytes. */
export function requestText(path: string, { method = "GET", headers = {}, version = "1.1", ...rest }: Request = {}) {
  const { body = "", last = true } = rest;
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  if (version === "1.1") lines.unshift("Host: 127.0.0.1", ...(last ? ["Connection: close"] : []));
  if (body) lines.push(`Content-Length: ${body.length}`);
  return [`${method} ${path} HTTP/${version}`, ...lines, "", body].join("\r\n");
}

/** Connects to a server. @throws Deviation when there is none any more. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } catch {
    throw new Deviation("process died", "The server's process is gone.");
  }
  // A connection that is cut is seen by what is missing.
  return socket.on("error", () => {});
}

/** Reads until the server closes the connection. @throws Deviation beyond `limit` bytes: nobody waits for a whole TiB. */
export async function readToEnd(socket: Socket, limit = 48 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > limit) break;
    }
  } catch {
    // It was cut; what came before is the answer.
  } finally {
    socket.destroy();
  }
  if (length > limit) throw endless(chunks[0]);
  return Buffer.concat(chunks);
}

function endless(first: Buffer | undefined): Deviation {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first?.toString("latin1", 0, 12) ?? "")?.[1];
  return new Deviation(`${status}, all bytes`, "The answer has far more bytes than were asked for.");
}
