/** What a read of a large file takes at once: each costs a turn of the thread pool. */
const LARGE = 256 * 1024;
/** What it takes when no large chunk is left. A reader that stalls holds one of these, and not much more. */
export const SMALL_CHUNK = 32 * 1024;
/** How many bytes may be out in larger chunks at any time. */
const LIMIT = 32 * LARGE;

/**
 * Sees to it that many downloads at once cost little memory each. A client that stalls holds the chunk that was last
 * written to its connection, so only so many large ones are out at a time; downloads beyond that read small ones.
 */
export class ChunkBudget {
  #out = 0;

  /**
   * How large the next chunk may be: more than 0 bytes, and at most `wanted`. Give it back when the connection took it.
   *
   * @param wanted how many bytes would be of use, more than 0.
   */
  take(wanted: number): number {
    const size = Math.min(wanted, LARGE);
    if (size <= SMALL_CHUNK) return size;
    if (this.#out + size > LIMIT) return SMALL_CHUNK;
    this.#out += size;
    return size;
  }

  /** Gives back what {@link take} returned. */
  giveBack(size: number): void {
    if (size > SMALL_CHUNK) this.#out -= size;
  }
}

/** That of this process. */
export const chunkBudget = new ChunkBudget();
