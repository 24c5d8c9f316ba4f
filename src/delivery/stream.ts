import { StorageError } from "../errors.js";
import type { ByteRange } from "../http/byte-range.js";
import { whenOver } from "../http/response-over.js";
import type { Delivery, Download } from "./delivery.js";
import { ObjectBody } from "./object-body.js";

/** The first read. A file that is not larger goes out in one write with its headers. */
const FIRST_CHUNK = 64 * 1024;
/** All other reads: each costs a turn of the thread pool. */
const CHUNK = 256 * 1024;

/**
 * Sends a file from any storage through this process: from one object that is held open where the storage can do that,
 * exactly the promised bytes, or a connection that is cut; small files in one write, large ones as fast as the client takes
 * them, in memory that does not depend on the file's size. The default.
 */
export function streamDelivery(): Delivery {
  return { deliver };
}

async function deliver(download: Download): Promise<void> {
  const range = download.range ?? { start: 0, end: download.object.size - 1 };
  const chunks = exactly(download, range, readChunks(download, range));
  const first = await chunks.next();
  const length = range.end - range.start + 1;
  if (length === (first.value?.length ?? 0)) {
    await chunks.return();
    await download.open?.close();
    download.ctx.body = asBuffer(first.value ?? new Uint8Array());
    return;
  }
  download.ctx.body = new ObjectBody(startingWith(first, chunks));
  download.ctx.length = length;
}

function readChunks(download: Download, range: ByteRange): AsyncGenerator<Uint8Array, void> {
  return download.open ? readOpen(download, range) : readStream(download, range);
}

async function* readOpen({ open }: Download, range: ByteRange): AsyncGenerator<Uint8Array, void> {
  let size = FIRST_CHUNK;
  for (let position = range.start; position <= range.end; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(size, range.end - position + 1));
    const length = await open!.read(buffer, position);
    if (length === 0) return;
    yield buffer.subarray(0, length);
    position += length;
    size = CHUNK;
  }
}

async function* readStream(download: Download, range: ByteRange): AsyncGenerator<Uint8Array, void> {
  if (range.end < range.start) return;
  const gone = new AbortController();
  whenOver(download.ctx, () => gone.abort());
  yield* await download.storage.read(download.key, { ...range, of: download.object, signal: gone.signal });
}

/** Whatever the storage does meanwhile, no byte more than was promised, and an error in place of a byte less. */
async function* exactly(
  { key }: Download,
  range: ByteRange,
  chunks: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  let missing = range.end - range.start + 1;
  for await (const chunk of chunks) {
    if (missing <= 0) return;
    yield chunk.length > missing ? chunk.subarray(0, missing) : chunk;
    missing -= chunk.length;
  }
  if (missing > 0) {
    throw new StorageError(`${key}: the object ended ${missing} bytes early. It was changed while it was sent.`, key);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function* startingWith(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  if (!first.done) yield first.value;
  yield* rest;
}
