import type { Readable } from "node:stream";
import { StorageError } from "../../errors.js";
import type { ByteRange } from "../../http/byte-range.js";
import { whenOver } from "../../http/response-over.js";
import { shown, visible } from "../../quoted.js";
import type { Download } from "../delivery.js";
import { gone, isGone } from "../missing-object.js";
import { exactly } from "./byte-count.js";
import { type Chunks, chunksOf, NO_TEXT, type PieceSource } from "./piece-source.js";

/** The pieces of a download from a storage that can only stream its objects. */
export function streamedPieces(download: Download): PieceSource {
  const chunks = () => {
    const left = new AbortController();
    whenOver(download.ctx, () => left.abort());
    return chunksOf(download.pieces, (range, text) => readRange(download, left.signal, range, text));
  };
  return { all: () => gather(chunks()), chunks };
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function* readRange(download: Download, signal: AbortSignal, range: ByteRange, text: Uint8Array): Chunks {
  const { storage, key, object } = download;
  try {
    const stream = await storage.read(key, { ...range, of: object, signal });
    assertStream(key, stream);
    for await (const chunk of exactly(key, range, until(signal, stream))) {
      yield text.length > 0 ? Buffer.concat([text, chunk]) : chunk;
      text = NO_TEXT;
    }
  } catch (error) {
    // Nothing held the object since it was looked at. No error of a storage says whether it is why there is no more of it.
    throw !signal.aborted && (await isGone(download)) ? gone(download, error) : error;
  }
}

function assertStream(key: string, stream: unknown): asserts stream is Readable {
  const { on, once, destroy, [Symbol.asyncIterator]: iterate } = Object(stream ?? {}) as Readable;
  if ([on, once, destroy, iterate].every((method) => typeof method === "function")) return;
  const message = `${visible(key)}: "read" of its storage must return a Readable, got ${shown(stream)}. Correct the storage.`;
  throw new StorageError(message, key);
}

/** A stream that waits for its storage does not hear that nobody reads it any more. */
function until(signal: AbortSignal, stream: Readable): Readable {
  const leave = () => {
    try {
      stream.destroy();
    } catch {
      // Nobody waits for it any more, and the process must not end for it.
    }
  };
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave);
  stream.once("close", () => signal.removeEventListener("abort", leave));
  return stream.on("error", () => {});
}
