import { IncomingMessage } from "node:http";
import { Http2ServerRequest } from "node:http2";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import type { Request } from "../../http/request-over.js";
import { UploadError } from "../../storage/upload-error.js";
import { READ_AHEAD, type Upload } from "./upload.js";

/** An upload of a stream, or of a request. */
export function fromReadable(subject: string, stream: Readable): Upload {
  assertUnread(subject, stream);
  // What flows before it is piped into the storage is lost.
  stream.pause();
  if (isMessage(stream)) return fromMessage(stream);
  const truncated = () => (stream as { truncated?: boolean }).truncated === true;
  return { stream: heard(stream), truncated };
}

/** An upload of a web stream. */
export function fromWebStream(subject: string, stream: WebStream<Uint8Array>): Upload {
  if (stream.locked) {
    throw new UploadError(
      "unusable",
      `${subject}: the stream is locked by another reader. Give one that nobody reads.`,
    );
  }
  return { stream: heard(Readable.fromWeb(stream, { highWaterMark: READ_AHEAD })) };
}

function assertUnread(subject: string, stream: Readable): void {
  if (stream.errored || (isMessage(stream) && isCut(stream))) {
    const cause = stream.errored ?? undefined;
    throw new UploadError("failed", `${subject}: the stream failed before it was read. Send it again.`, { cause });
  }
  const problem = problemOf(stream);
  if (problem) throw new UploadError("unusable", `${subject}: the stream ${problem}`);
}

function problemOf(stream: Readable): string | undefined {
  if (stream.destroyed || stream.readableEnded || stream.readableDidRead)
    return "was read or destroyed before. Give one that nobody reads.";
  if (stream.readableObjectMode) return "is in object mode. Give a stream of bytes.";
  if (stream.readableEncoding) return "gives texts. Give a stream of bytes, and set no encoding on it.";
  return undefined;
}

/** A request, or a response of another server. */
function isMessage(stream: Readable): stream is Request & Readable {
  return stream instanceof IncomingMessage || stream instanceof Http2ServerRequest;
}

/** Over HTTP/2, Node itself reads what a client has sent that left. */
function isCut(message: Request): boolean {
  return message instanceof IncomingMessage ? message.destroyed && !message.readableDidRead : message.aborted;
}

/** Node holds both to their Content-Length. */
function fromMessage(message: Request): Upload {
  const { "content-length": length } = message.headers;
  const isResponse = message instanceof IncomingMessage && message.statusCode !== null;
  const size = length === undefined ? undefined : Number(length);
  return { stream: heard(message), request: isResponse ? undefined : message, size };
}

/** A stream may fail before it is read. Unheard, that would end the process. */
function heard<Stream extends Readable>(stream: Stream): Stream {
  return stream.on("error", () => {});
}
