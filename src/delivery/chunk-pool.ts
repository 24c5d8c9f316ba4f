import { LARGEST_CHUNK } from "./chunk-budget.js";

/** How many buffers are kept: 4 MiB. */
const KEPT = 16;

/**
 * Buffers of the largest chunks, which are used again. The system hands out new memory of that size page by page, each one
 * zeroed, which costs more than to read the file into it.
 */
export class ChunkPool {
  readonly #spare: Buffer[] = [];

  /** A buffer of this size, with whatever is in it. */
  take(size: number): Buffer {
    return (size === LARGEST_CHUNK && this.#spare.pop()) || Buffer.allocUnsafeSlow(size);
  }

  /** Takes back a buffer that nobody reads or writes any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === LARGEST_CHUNK && this.#spare.length < KEPT) this.#spare.push(buffer);
  }
}

/** That of this process. */
export const chunkPool = new ChunkPool();
