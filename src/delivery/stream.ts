import type { ByteRange } from "../http/byte-range.js";
import { whenOver } from "../http/response-over.js";
import { cutWhenStalled } from "../http/response-stall.js";
import type { OpenObject } from "../storage/storage.js";
import { setBody } from "./body.js";
import { chunkBudget, SMALL_CHUNK } from "./chunk-budget.js";
import type { Delivery, Download } from "./delivery.js";
import { exactly } from "./exactly.js";
import { gone, isGone } from "./gone.js";
import { checkStallTimeout, type StallOptions } from "./stall-options.js";

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

async function* readPieces(download: Download): AsyncGenerator<Uint8Array, void> {
  const { ctx, key, open, pieces } = download;
  const left = new AbortController();
  if (!open) whenOver(ctx, () => left.abort());
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else if (open) yield* exactly(key, piece, readOpen(download, open, piece));
    else yield* readStream(download, piece, left.signal);
  }
}

async function* readOpen(
  { ctx }: Download,
  open: OpenObject,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  // Node bounds what all streams of an HTTP/2 connection have waiting together, and refuses new ones beyond that.
  const most = ctx.req.httpVersionMajor > 1 ? SMALL_CHUNK : Number.POSITIVE_INFINITY;
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
    yield* exactly(key, range, await storage.read(key, { ...range, of: object, signal }));
  } catch (error) {
    // Nothing held the object since it was looked at. No error of a storage says whether it is why there is no more of it.
    throw !signal.aborted && (await isGone(download)) ? gone(download, error) : error;
  }
}
