import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { CONTENT_TYPE } from "../form/form-body.js";

/** A request with a form, byte by byte as a client may write it. */
export interface RawForm {
  body: Buffer;
  /** The content type. (default: that of the forms of the tests) */
  type?: string;
  /** Headers in place of the Content-Length. */
  headers?: string[];
  /** Writes the body in pieces of as many bytes. */
  pieces?: number;
  /** Writes the body chunked, each chunk with as many bytes. */
  chunks?: number;
}

/** More milliseconds than an answer takes, also on a busy machine. */
const LONGEST_ANSWER = 10_000;

/**
 * Writes a request to a connection of its own, and gives the status of the answer; 0 where the connection is closed without any.
 *
 * @param longest the most milliseconds that it may take.
 * @throws AbortError when it takes longer.
 */
export async function statusOf(port: number, path: string, form: RawForm, longest = LONGEST_ANSWER): Promise<number> {
  const connection = connect(port, "127.0.0.1")
    .setNoDelay(true)
    .on("error", () => {});
  await once(connection, "connect");
  const signal = AbortSignal.timeout(longest);
  const answered = Promise.race([once(connection, "data", { signal }), once(connection, "close", { signal })]);
  answered.catch(() => {});
  try {
    await write(connection, path, form);
    const [answer] = await answered;
    return Number(/^HTTP\/1\.1 (\d+) /.exec(String(answer))?.[1] ?? 0);
  } finally {
    connection.destroy();
  }
}

async function write(connection: NodeJS.WritableStream, path: string, form: RawForm): Promise<void> {
  const { body, type = CONTENT_TYPE, chunks, pieces = Number.POSITIVE_INFINITY } = form;
  const length = chunks ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
  const headers = ["Host: 127.0.0.1", ...(type ? [`Content-Type: ${type}`] : []), ...(form.headers ?? [length])];
  connection.write(`POST ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
  const bytes = chunks ? chunked(body, chunks) : body;
  for (let at = 0; at < bytes.length; at += pieces) {
    connection.write(bytes.subarray(at, at + pieces));
    if (pieces < bytes.length) await turn();
  }
}

function chunked(body: Buffer, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}
