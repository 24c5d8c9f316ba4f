import { type ByteRange, requestedRanges } from "./byte-range.js";
import { lengthOf, partHeader } from "./content.js";

/**
 * What a `Range` header is answered with.
 *
 * - `whole`: answer 200 with the whole file; there is no `Range`, or it is one that is ignored.
 * - `ranges`: answer 206 with these ranges: one plainly, several as multipart/byteranges. There is always at least one.
 * - `unsatisfiable`: answer 416; nothing of what is asked for lies inside the file.
 */
export type RangeOutcome = { kind: "whole" } | { kind: "ranges"; ranges: ByteRange[] } | { kind: "unsatisfiable" };

/** How many ranges one answer has at most, whatever they are, once those that touch are joined. */
export const MAX_RANGES = 8;

/** The same for ranges in ascending order that do not overlap, as zsync asks for, where {@link MAX_HEADER_SHARE} allows them. */
export const MAX_ASCENDING_RANGES = 64;

/** Which part of an answer with more than {@link MAX_RANGES} the headers of its parts may be: ranges that small make work for nothing. */
const MAX_HEADER_SHARE = 0.05;

/**
 * Decides which bytes a `Range` header is answered with (RFC 9110 §14.2).
 *
 * Ranges that overlap or touch are joined, so that an answer never sends a byte twice (§15.3.7.2). What remains is in the order of the
 * request; a joined range stands where the first of its parts stood. A request for more ranges than an answer may have gets the whole
 * file. Takes O(n log n) of the header's length, of which 4 KiB are read. Never throws.
 *
 * @param header The field's value.
 * @param size The file's size in bytes.
 * @param type The file's media type, which the header of each part names.
 */
export function selectRanges(header: string | undefined, size: number, type: string): RangeOutcome {
  const requested = requestedRanges(header, size);
  if (requested === undefined) return { kind: "whole" };
  const ranges = coalesce(requested);
  if (ranges.length === 0) return { kind: "unsatisfiable" };
  const isAnswered =
    ranges.length <= MAX_RANGES || (isAscending(requested) && areWorthTheirHeaders(ranges, size, type));
  return isAnswered ? { kind: "ranges", ranges } : { kind: "whole" };
}

function coalesce(ranges: ByteRange[]): ByteRange[] {
  const joined: { range: ByteRange; place: number }[] = [];
  const byStart = ranges.map((range, place) => ({ range, place })).sort((a, b) => a.range.start - b.range.start);
  for (const { range, place } of byStart) {
    const previous = joined.at(-1);
    if (previous !== undefined && range.start <= previous.range.end + 1) {
      previous.range.end = Math.max(previous.range.end, range.end);
      previous.place = Math.min(previous.place, place);
    } else {
      joined.push({ range: { ...range }, place });
    }
  }
  return joined.sort((a, b) => a.place - b.place).map(({ range }) => range);
}

function isAscending(ranges: ByteRange[]): boolean {
  return ranges.every(({ start }, index) => index === 0 || start > ranges[index - 1]!.end);
}

function areWorthTheirHeaders(ranges: ByteRange[], size: number, type: string): boolean {
  if (ranges.length > MAX_ASCENDING_RANGES) return false;
  const headers = ranges.reduce((sum, range) => sum + partHeader(range, size, type).length, 0);
  const bytes = ranges.reduce((sum, range) => sum + lengthOf(range), 0);
  return headers <= MAX_HEADER_SHARE * (headers + bytes);
}
