import { type ByteRange, requestedRanges } from "../../http/byte-range.js";
import { spanOf } from "../../http/content.js";

/** How many bytes a player asks for to learn whether a server sends ranges: Safari two, others one. */
const PROBE = 2;

/**
 * Whether a response begins a download: it sends the whole file, or more than the first two bytes of it.
 *
 * @param range the part that is sent, of several ranges the span around them; absent for the whole file.
 * @param size the file's size in bytes.
 */
export function begins(range: ByteRange | undefined, size: number): boolean {
  if (range === undefined) return true;
  return range.start === 0 && (range.end >= PROBE || range.end === size - 1);
}

/**
 * The same where a front server or a bucket reads the request's Range. That server is taken to send as many ranges as are asked for,
 * and an If-Range to hold: it may name a validator that only that server knows.
 *
 * @param header the request's Range.
 */
export function beginsElsewhere(header: string | undefined, size: number): boolean {
  const requested = requestedRanges(header, size);
  if (requested === undefined) return true;
  return requested.length > 0 && begins(spanOf(requested), size);
}
