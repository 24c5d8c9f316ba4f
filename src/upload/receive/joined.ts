/** The fewest bytes of a piece that is handed on, but for the last one. */
const FEWEST_BYTES = 1024;

/**
 * Joins small pieces of a stream. The parser of a form keeps all pieces of a text until its end, and each takes some hundred bytes beside its own:
 * a client that sends one byte at a time would have a text of 1 MB take 400 MB of memory.
 */
export async function* joined(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytes) {
    pieces.push(piece);
    length += piece.length;
    if (length < FEWEST_BYTES) continue;
    yield pieces.length === 1 ? piece : Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}
