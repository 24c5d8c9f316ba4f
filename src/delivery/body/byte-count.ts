import { StorageError } from "../../errors.js";
import type { ByteRange } from "../../http/byte-range.js";
import { lengthOf } from "../../http/content.js";
import { shown, visible } from "../../quoted.js";
import { leaveUnawaited } from "../../unawaited.js";

/**
 * The bytes of a range, whatever the storage does meanwhile: no byte more than was promised, and an error in place of a byte
 * less.
 *
 * @throws StorageError when the chunks end too early.
 */
export async function* exactly(
  key: string,
  range: ByteRange,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let missing = lengthOf(range);
  for await (const chunk of chunks) {
    if (missing <= 0) return;
    if (!(chunk instanceof Uint8Array)) throw notBytes(key, chunk);
    yield chunk.length > missing ? chunk.subarray(0, missing) : chunk;
    missing -= chunk.length;
  }
  if (missing > 0) throw endedEarly(key, missing);
}

/** What to throw for an object that has fewer bytes than it said. */
export function endedEarly(key: string, missing: number): StorageError {
  return new StorageError(
    `${visible(key)}: the object ended ${missing} bytes early. It was changed while it was sent.`,
    key,
  );
}

function notBytes(key: string, chunk: unknown): StorageError {
  leaveUnawaited(chunk);
  const message = `${visible(key)}: the stream of its storage must give Buffers, got ${shown(chunk)}. Set no encoding on it.`;
  return new StorageError(message, key);
}
