/** What a read of a large file takes at once, as long as few are out: each costs a turn of the thread pool. */
export const LARGEST_CHUNK = 256 * 1024;
/** What it takes at least. A reader that stalls holds one of these, and not much more. */
export const SMALLEST_CHUNK = 16 * 1024;
/** How many bytes may be out in chunks that are larger than the smallest. */
const LIMIT = 16 * 1024 * 1024;
/** A chunk takes this part of what is left, or less: a power of two, so that its memory serves the next one as well. */
const SHARE = 32;

/**
 * Sees to it that many downloads at once cost little memory each. A client that stalls holds the chunk that was last
 * written to its connection; so the more is out already, the smaller the next chunk is: 256 KiB for some dozens of
 * downloads, 64 KiB for a hundred, 16 KiB for a thousand.
 */
export class ChunkBudget {
  #out = 0;

  /** How many bytes were taken and not given back. */
  get out(): number {
    return this.#out;
  }

  /**
   * How large the next chunk may be: at most `wanted`. Give it back when the connection took it.
   *
   * @param wanted how many bytes would be of use.
   */
  take(wanted: number): number {
    const share = powerOfTwo((LIMIT - this.#out) / SHARE);
    const size = Math.min(wanted, Math.max(SMALLEST_CHUNK, Math.min(LARGEST_CHUNK, share)));
    this.#out += size;
    return size;
  }

  /** Gives back what {@link take} returned. */
  giveBack(size: number): void {
    this.#out -= size;
  }
}

/** That of this process. */
export const chunkBudget = new ChunkBudget();

/** The greatest one that is no more than a number. */
function powerOfTwo(number: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, number)));
}
