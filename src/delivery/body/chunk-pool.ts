import { LARGEST_CHUNK, SMALLEST_CHUNK } from "./chunk-budget.js";

/** How many bytes are kept while nobody needs them. */
const KEPT = 4 * 1024 * 1024;

/**
 * Memory for chunks, which is used again. The system hands out new memory of their size page by page, each one zeroed, which costs
 * more than to read a file into it; and what is thrown away by the megabyte has the whole heap searched for garbage.
 */
export class ChunkPool {
  readonly #spare = new Map<number, Buffer[]>();
  #kept = 0;

  /** Memory of at least this size, with whatever is in it. */
  take(size: number): Buffer {
    const capacity = capacityFor(size);
    const memory = this.#spare.get(capacity)?.pop();
    if (!memory) return Buffer.allocUnsafeSlow(capacity);
    this.#kept -= capacity;
    return memory;
  }

  /** Takes memory back that nobody reads or writes any more. */
  giveBack(memory: Buffer): void {
    const capacity = memory.length;
    if (capacity < SMALLEST_CHUNK || capacity > LARGEST_CHUNK || this.#kept + capacity > KEPT) return;
    this.#kept += capacity;
    const spare = this.#spare.get(capacity);
    if (spare) spare.push(memory);
    else this.#spare.set(capacity, [memory]);
  }
}

/** That of this process. */
export const chunkPool = new ChunkPool();

/** Few sizes, so that what one chunk had serves the next. What is smaller than a chunk, or has text before it, is as large as it is. */
function capacityFor(size: number): number {
  return size < SMALLEST_CHUNK || size > LARGEST_CHUNK ? size : 2 ** Math.ceil(Math.log2(size));
}
