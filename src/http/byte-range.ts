/** A piece of a file, as in HTTP: both positions count from 0, and the byte at `end` belongs to it (RFC 9110 §14.1.2). */
export interface ByteRange {
  /** Position of the first byte, from 0. */
  start: number;
  /** Position of the last byte, itself included: never less than `start`, always less than the file's size. */
  end: number;
}

/**
 * What a `Range` header asks for.
 *
 * - `whole`: answer 200 with the whole file; there is no `Range`, or it is one that is ignored.
 * - `ranges`: answer 206 with these ranges: one plainly, several as multipart/byteranges. There is always at least one.
 * - `unsatisfiable`: answer 416; nothing of what is asked for lies inside the file.
 */
export type RangeOutcome = { kind: "whole" } | { kind: "ranges"; ranges: ByteRange[] } | { kind: "unsatisfiable" };

/** How many ranges one answer has at most, once those that touch are joined. A request for more gets the whole file. */
export const MAX_RANGES = 8;

/**
 * Decides which bytes a `Range` header asks for (RFC 9110 §14.2).
 *
 * A header that breaks the grammar anywhere, has another unit than `bytes`, is longer than 4 KiB, or has a range that
 * ends before it begins is ignored as a whole, as §14.2 allows; so are all headers for an empty file. Two header lines,
 * which Node joins with a comma, break the grammar. Positions may have any number of digits.
 *
 * Ranges outside of the file are dropped, and an end beyond the file is moved to its last byte. Ranges that overlap or
 * touch are joined, so that an answer never sends a byte twice (§15.3.7.2). What remains is in the order of the request;
 * a joined range stands where the first of its parts stood. Takes O(n log n) of the header's length. Never throws.
 *
 * @param header The field's value as Node gives it.
 * @param size The file's size in bytes.
 */
export function selectRanges(header: string | undefined, size: number): RangeOutcome {
  if (header === undefined || size === 0) return { kind: "whole" };
  const specs = parseRangeSpecs(header);
  if (specs === undefined) return { kind: "whole" };
  const ranges = coalesce(specs.flatMap((spec) => clip(spec, size)));
  if (ranges.length === 0) return { kind: "unsatisfiable" };
  return ranges.length > MAX_RANGES ? { kind: "whole" } : { kind: "ranges", ranges };
}

/** Beyond this many characters no honest client goes: 8 ranges of 20-digit positions take less than 400. */
const MAX_HEADER_LENGTH = 4096;

/** A range-spec of RFC 9110 §14.1.1: `first-last`, `first-` or `-suffix`. */
type RangeSpec = { first: bigint; last?: bigint } | { suffix: bigint };

function parseRangeSpecs(header: string): RangeSpec[] | undefined {
  if (header.length > MAX_HEADER_LENGTH || !/^bytes=/i.test(header)) return undefined;
  const specs: RangeSpec[] = [];
  for (const element of header.slice("bytes=".length).split(",")) {
    // RFC 9110 §5.6.1.2: a recipient skips empty elements of a list.
    if (/^[ \t]*$/.test(element)) continue;
    const spec = parseRangeSpec(element);
    if (spec === undefined) return undefined;
    specs.push(spec);
  }
  return specs.length === 0 ? undefined : specs;
}

function parseRangeSpec(element: string): RangeSpec | undefined {
  const [, first, last] = /^[ \t]*(\d*)-(\d*)[ \t]*$/.exec(element) ?? [];
  if (!first) return last ? { suffix: BigInt(last) } : undefined;
  if (!last) return { first: BigInt(first) };
  const spec = { first: BigInt(first), last: BigInt(last) };
  return spec.first > spec.last ? undefined : spec;
}

/** The part of the file that a spec names: a list of one, or an empty one when there is none. */
function clip(spec: RangeSpec, size: number): ByteRange[] {
  const length = BigInt(size);
  if ("suffix" in spec) {
    if (spec.suffix === 0n) return [];
    return [{ start: spec.suffix < length ? Number(length - spec.suffix) : 0, end: size - 1 }];
  }
  if (spec.first >= length) return [];
  const reachesEnd = spec.last === undefined || spec.last >= length;
  return [{ start: Number(spec.first), end: reachesEnd ? size - 1 : Number(spec.last) }];
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
