import type { ByteRange } from "../../http/byte-range.js";
import type { Piece } from "../../http/content.js";

/**
 * Chunks of a body, in their order. What is handed to `next` is the chunk before, by one who knows that nobody will look at it
 * any more: its memory may get other bytes then.
 */
export type Chunks = AsyncGenerator<Uint8Array, void, Uint8Array | undefined>;

/** Where the bytes of a download's pieces come from: exactly those, or an error. One of both ways is gone, once. */
export interface PieceSource {
  /** All of them at once. */
  all(): Promise<Buffer>;
  /** One chunk after the other, in memory that does not depend on their number. */
  chunks(): Chunks;
}

/** In front of a range that no text goes before. */
export const NO_TEXT = new Uint8Array();

/**
 * The chunks of pieces. Text goes out with the bytes that follow it, so that those are read before the answer begins.
 *
 * @param read the chunks of a range, the first of which begins with the text.
 */
export async function* chunksOf(
  pieces: readonly Piece[],
  read: (range: ByteRange, text: Uint8Array) => Chunks,
): Chunks {
  let text: Uint8Array = NO_TEXT;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      text = piece;
      continue;
    }
    yield* read(piece, text);
    text = NO_TEXT;
  }
  if (text.length > 0) yield text;
}
