import { StorageError } from "../../errors.js";
import type { ByteRange } from "../../http/byte-range.js";
import { lengthOf } from "../../http/content.js";
import { shown, visible } from "../../quoted.js";
import { DiskObject } from "../../storage/disk/disk-object.js";
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
  const body = Buffer.alloc(length);
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
      const memory = isTrusted(open) ? chunkPool.take(text.length + size) : Buffer.alloc(text.length + size);
      const chunk = memory.subarray(0, text.length + size);
      chunk.set(text);
      await fill(chunk.subarray(text.length), key, open, position).finally(turns.end);
      if ((yield chunk) === chunk && isTrusted(open)) chunkPool.giveBack(memory);
    } finally {
      chunkBudget.giveBack(size);
    }
    position += size;
  }
}

/** @throws StorageError when the object ends before the buffer is full or is read wrongly, and what reading throws. */
async function fill(buffer: Uint8Array, key: string, open: OpenObject, position: number): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const rest = buffer.subarray(filled);
    const count = await open.read(rest, position + filled);
    if (count === 0) throw endedEarly(key, rest.length);
    if (!isTrusted(open)) await checkRead(rest, count, key, open, position + filled);
    filled += count;
  }
}

/** Whether an object is one of ours. The memory of others is never used again: they may write to it later. */
function isTrusted(open: OpenObject): boolean {
  return open instanceof DiskObject && open.read === DiskObject.prototype.read;
}

/** The buffer was all zeros: if the last byte that was read still is, it is read again over a one. */
async function checkRead(
  buffer: Uint8Array,
  count: unknown,
  key: string,
  open: OpenObject,
  position: number,
): Promise<void> {
  const isCount = typeof count === "number" && Number.isInteger(count) && count > 0 && count <= buffer.length;
  if (!isCount) throw wrongCount(key, count, buffer.length);
  if (buffer[count - 1] !== 0) return;
  const last = Uint8Array.of(1);
  await open.read(last, position + count - 1);
  if (last[0] !== 0) throw notFilled(key, count);
}

function wrongCount(key: string, count: unknown, most: number): StorageError {
  const message = `${visible(key)}: "read" of its storage must return how many bytes it read, from 0 to ${most}, got ${shown(count)}. Correct the storage.`;
  return new StorageError(message, key);
}

function notFilled(key: string, count: number): StorageError {
  const message = `${visible(key)}: "read" of its storage returned ${count}, but did not fill the buffer. Correct the storage.`;
  return new StorageError(message, key);
}
