import type { ByteRange } from "../../http/byte-range.js";
import { lengthOf } from "../../http/content.js";
import type { OpenObject } from "../../storage/storage.js";
import type { Download } from "../delivery.js";
import { endedEarly } from "./byte-count.js";
import { chunkBudget } from "./chunk-budget.js";
import { chunkPool } from "./chunk-pool.js";
import { type Chunks, chunksOf, NO_TEXT, type PieceSource } from "./piece-source.js";
import { type Turns, turnsOf } from "./read-turns.js";

/** Node bounds what all streams of an HTTP/2 connection have waiting together, and refuses new ones beyond that. */
const HTTP2_CHUNK = 32 * 1024;

/** The pieces of a download whose object is held open. */
export function openPieces(download: Download, open: OpenObject): PieceSource {
  const chunks = () => {
    const turns = turnsOf(download);
    return chunksOf(download.pieces, (range, text) => readRange(download, open, turns, range, text));
  };
  return { all: () => readAll(download, open), chunks };
}

async function readAll({ key, pieces, length }: Download, open: OpenObject): Promise<Buffer> {
  const body = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    const part = body.subarray(at, at + lengthOf(piece));
    if (piece instanceof Uint8Array) part.set(piece);
    else await fill(part, key, open, piece.start);
    at += part.length;
  }
  return body;
}

async function* readRange(
  { ctx, key }: Download,
  open: OpenObject,
  turns: Turns,
  { start, end }: ByteRange,
  text: Uint8Array,
): Chunks {
  const most = ctx.req.httpVersionMajor > 1 ? HTTP2_CHUNK : Number.POSITIVE_INFINITY;
  for (let position = start; position <= end; text = NO_TEXT) {
    await turns.begin();
    const size = chunkBudget.take(Math.min(end - position + 1, most));
    try {
      const memory = chunkPool.take(text.length + size);
      const chunk = memory.subarray(0, text.length + size);
      chunk.set(text);
      await fill(chunk.subarray(text.length), key, open, position).finally(turns.end);
      if ((yield chunk) === chunk) chunkPool.giveBack(memory);
    } finally {
      chunkBudget.giveBack(size);
    }
    position += size;
  }
}

/** @throws StorageError when the object ends before the buffer is full, and what reading throws. */
async function fill(buffer: Uint8Array, key: string, open: OpenObject, position: number): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const count = await open.read(buffer.subarray(filled), position + filled);
    if (count === 0) throw endedEarly(key, buffer.length - filled);
    filled += count;
  }
}
