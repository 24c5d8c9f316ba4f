import { randomBytes } from "node:crypto";
import type { ByteRange } from "./byte-range.js";

/** A stretch of a body: bytes of the file, or text of the answer's own that stands between those. */
export type Piece = ByteRange | Uint8Array;

/** The body of a 200 or 206, and what the headers say of it. */
export interface Content {
  /** What the body is made of, in this order. None for an empty file. */
  pieces: readonly Piece[];
  /** How many bytes that is in all. */
  length: number;
  /** Which part of the file it is; of several ranges the span from the first to the last byte. Absent for the whole file. */
  range?: ByteRange;
  /** `Content-Type` and, for one range, `Content-Range`. */
  headers: Record<string, string>;
}

/** A whole file, as 200 sends it. */
export function wholeContent(size: number, type: string): Content {
  const pieces = size === 0 ? [] : [{ start: 0, end: size - 1 }];
  return { pieces, length: size, headers: { "Content-Type": type } };
}

/**
 * Ranges of a file, as 206 sends them: one as it is, several as multipart/byteranges (RFC 9110 §15.3.7, §14.6), in their
 * order. The boundary is random: nobody who chose the bytes of the file could have known it.
 *
 * @param ranges at least one; none touches another.
 * @param size the file's size in bytes.
 * @param type the file's media type.
 */
export function partialContent(ranges: readonly ByteRange[], size: number, type: string): Content {
  const range = spanOf(ranges);
  if (ranges.length === 1) {
    const headers = { "Content-Type": type, "Content-Range": contentRange(range, size) };
    return { pieces: ranges, length: lengthOf(range), range, headers };
  }
  const boundary = randomBytes(18).toString("base64url");
  const pieces = multipart(ranges, boundary, size, type);
  const length = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  return { pieces, length, range, headers: { "Content-Type": `multipart/byteranges; boundary=${boundary}` } };
}

/** How many bytes a piece has. */
export function lengthOf(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.length : piece.end - piece.start + 1;
}

/** The span from the first to the last byte of ranges. */
export function spanOf(ranges: readonly ByteRange[]): ByteRange {
  return {
    start: Math.min(...ranges.map(({ start }) => start)),
    end: Math.max(...ranges.map(({ end }) => end)),
  };
}

/** The headers of a part of multipart/byteranges, with the empty line that ends them (RFC 9110 §14.6). */
export function partHeader(range: ByteRange, size: number, type: string): string {
  return `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
}

/**
 * An empty line comes first, as from Apache and nginx: zsync skips a line, and asks again for ever where that was the first delimiter.
 * RFC 2046 §5.1.1 takes it for an empty preamble.
 */
function multipart(ranges: readonly ByteRange[], boundary: string, size: number, type: string): Piece[] {
  const parts = ranges.flatMap((range) => {
    const text = `\r\n--${boundary}\r\n${partHeader(range, size, type)}`;
    return [Buffer.from(text, "latin1"), range];
  });
  return [...parts, Buffer.from(`\r\n--${boundary}--\r\n`, "latin1")];
}

function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}
