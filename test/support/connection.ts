import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";

/** A connection to a server of the test, to say what no HTTP client says. It is closed when the test is over. */
export async function openConnection(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // A server that cuts the connection is what some tests wait for.
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that comes until the stream ends or is cut. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // It was cut; what came before is the answer.
  }
  return Buffer.concat(chunks);
}
