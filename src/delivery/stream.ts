import type { Readable } from "node:stream";
import type { ByteRange } from "../http/byte-range.js";
import { whenOver } from "../http/response-over.js";
import { cutWhenStalled } from "../http/response-stall.js";
import type { OpenObject } from "../storage/storage.js";
import { setBody } from "./body.js";
import { chunkBudget } from "./chunk-budget.js";
import type { Delivery, Download } from "./delivery.js";
import { exactly } from "./exactly.js";
import { gone, isGone } from "./gone.js";
import { checkStallTimeout, type StallOptions } from "./stall-options.js";

/** Node bounds what all streams of an HTTP/2 connection have waiting together, and refuses new ones beyond that. */
const HTTP2_CHUNK = 32 * 1024;

/**
 * Sends a file from any storage through this process: from one object that is held open where the storage can do that,
 * exactly the promised bytes, or a connection that is cut; small files in one write, large ones as fast as the client takes
 * them, in memory that does not depend on the file's size; one range, or several as multipart/byteranges. The default.
 *
 * @throws ConfigurationError for a `stallTimeout` that is none.
 */
export function streamDelivery(options: StallOptions = {}): Delivery {
  const stallTimeout = checkStallTimeout("streamDelivery", options);
  return {
    async deliver(download) {
      cutWhenStalled(download.ctx, stallTimeout);
      await setBody(download, readPieces(download));
    },
  };
}

/** Text goes out with the bytes that follow it, so that those are read before the answer begins. */
async function* readPieces(download: Download): AsyncGenerator<Uint8Array, void> {
  const { ctx, open, pieces } = download;
  const left = new AbortController();
  if (!open) whenOver(ctx, () => left.abort());
  let text: Uint8Array | undefined;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      text = piece;
      continue;
    }
    for await (const chunk of readRange(download, piece, left.signal)) {
      yield text ? Buffer.concat([text, chunk]) : chunk;
      text = undefined;
    }
  }
  if (text) yield text;
}

function readRange(download: Download, range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { key, open } = download;
  return open ? exactly(key, range, readOpen(download, open, range)) : readStream(download, range, signal);
}

async function* readOpen(
  { ctx }: Download,
  open: OpenObject,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  const most = ctx.req.httpVersionMajor > 1 ? HTTP2_CHUNK : Number.POSITIVE_INFINITY;
  for (let position = start; position <= end; ) {
    const size = chunkBudget.take(Math.min(end - position + 1, most));
    try {
      const buffer = Buffer.allocUnsafeSlow(size);
      const length = await open.read(buffer, position);
      if (length === 0) return;
      yield buffer.subarray(0, length);
      position += length;
    } finally {
      chunkBudget.giveBack(size);
    }
  }
}

async function* readStream(
  download: Download,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { storage, key, object } = download;
  try {
    const stream = await storage.read(key, { ...range, of: object, signal });
    yield* exactly(key, range, until(signal, stream));
  } catch (error) {
    // Nothing held the object since it was looked at. No error of a storage says whether it is why there is no more of it.
    throw !signal.aborted && (await isGone(download)) ? gone(download, error) : error;
  }
}

/** A stream that waits for its storage does not hear that nobody reads it any more. */
function until(signal: AbortSignal, stream: Readable): Readable {
  const leave = () => stream.destroy();
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave);
  stream.once("close", () => signal.removeEventListener("abort", leave));
  return stream.on("error", () => {});
}
