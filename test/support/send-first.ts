import { once } from "node:events";
import { connect } from "node:net";

/** Sends a whole request before it reads a byte of the answer, as many clients do, and a second request on the same connection. */
export async function sendFirst(
  port: number,
  path: string,
  { chunked = false, length = 40_000_000 } = {},
): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.pause();
  const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  socket.write(`PUT /${path} HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n`);
  for (let left = length; left > 0; ) {
    const bytes = Buffer.alloc(Math.min(left, 65_536), "x");
    left -= bytes.length;
    if (chunked) socket.write(`${bytes.length.toString(16)}\r\n`);
    const isTaken = socket.write(bytes);
    if (chunked) socket.write("\r\n");
    if (!isTaken) await once(socket, "drain");
  }
  if (chunked) socket.write("0\r\n\r\n");
  socket.write("GET /second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let answers = "";
  socket.on("data", (chunk) => {
    answers += chunk.toString("latin1");
  });
  socket.resume();
  await once(socket, "close");
  return answers;
}

/** The statuses of the answers that came over a connection. */
export const statusesOf = (answers: string) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
