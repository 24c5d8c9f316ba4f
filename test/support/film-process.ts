import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { readAll } from "./connection.js";

const server = new URL("./film-server.js", import.meta.url).pathname;

/** What a server is started with. */
export interface ServerOptions {
  /** The size of its film in bytes. */
  size: number;
  /** How it sends the film. */
  delivery: "streamDelivery" | "koaSendDelivery";
  /** How many descriptors the process may have. */
  limit?: number;
}

/** Starts a server with one film in a process of its own, and stops it after the test. */
export async function startServer(t: TestContext, { size, delivery, limit }: ServerOptions) {
  const command = `${limit ? `ulimit -n ${limit}; ` : ""}exec "$0" --expose-gc "$@"`;
  const child = spawn("bash", ["-c", command, process.execPath, server, String(size), delivery], {
    stdio: ["ignore", "inherit", "ignore", "ipc"],
  });
  t.after(async () => {
    const exited = once(child, "exit");
    child.send("close");
    await exited;
  });
  const { port, url } = await answerOf<{ port: number; url: string }>(child);
  const ask = (socket: Socket, headers = "") =>
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
  const connectAndAsk = async (headers?: string): Promise<Socket> => {
    const socket = await connectTo(port);
    ask(socket, headers);
    return socket;
  };
  return {
    url,
    connect: () => connectTo(port),
    ask,
    connectAndAsk,
    take: async (range: string) => readAll(await connectAndAsk(`Range: ${range}\r\n`)),
    status(): Promise<{ memory: number; descriptors: number }> {
      child.send("status");
      return answerOf(child);
    },
  };
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").pause();
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = await once(child, "message");
  return answer as T;
}

/** What comes first on a connection; nothing when it is closed. */
export async function firstBytes(socket: Socket): Promise<string> {
  socket.resume();
  const [chunk] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [Buffer | boolean];
  socket.pause();
  return chunk instanceof Buffer ? chunk.toString("latin1") : "";
}
