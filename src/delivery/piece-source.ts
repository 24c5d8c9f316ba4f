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
