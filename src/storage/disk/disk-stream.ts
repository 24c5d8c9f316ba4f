import { Readable } from "node:stream";
import type { DiskObject } from "./disk-object.js";

/** As much as Node's own file streams read at once. A reader that stalls holds two of these. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The bytes from `start` to `end`, both included and inside the object: all of them, or an error. Closes the object when
 * it ends, fails or is destroyed, read or not.
 */
export class DiskStream extends Readable {
  readonly #object: DiskObject;
  readonly #end: number;
  #position: number;

  constructor(object: DiskObject, start: number, end: number, signal?: AbortSignal) {
    super({ highWaterMark: CHUNK_BYTES, signal });
    this.#object = object;
    this.#position = start;
    this.#end = end;
  }

  override _read(): void {
    const length = Math.min(CHUNK_BYTES, this.#end - this.#position + 1);
    if (length <= 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(length);
    this.#object.read(buffer, this.#position).then(
      () => this.push(buffer),
      (error) => this.destroy(error),
    );
    this.#position += length;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#object.close().then(
      () => callback(error),
      (closeError) => callback(error ?? closeError),
    );
  }
}
