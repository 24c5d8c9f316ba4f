/** A piece of a file, as in HTTP: both positions count from 0, and the byte at `end` belongs to it (RFC 9110 §14.1.2). */
export interface ByteRange {
  /** Position of the first byte, from 0. */
  start: number;
  /** Position of the last byte, itself included: never less than `start`, always less than the file's size. */
  end: number;
}

/**
 * Reads which ranges of a file a `Range` header asks for (RFC 9110 §14.1), in the order of the header. They may overlap. Ranges outside
 * of the file are left out, and an end beyond the file is moved to its last byte.
 *
 * `undefined` where there is no header, or one that is ignored as a whole, as §14.2 allows: it breaks the grammar anywhere, has another
 * unit than `bytes`, is longer than 4 KiB, has a range that ends before it begins, or is for an empty file. Two header lines, which are
 * joined with a comma, break the grammar. Positions may have any number of digits. Never throws.
 *
 * @param header The field's value.
 * @param size The file's size in bytes.
 */
export function requestedRanges(header: string | undefined, size: number): ByteRange[] | undefined {
  if (header === undefined || size === 0) return undefined;
  return parseRangeSpecs(header)?.flatMap((spec) => clip(spec, size));
}

/** Beyond this many characters no honest client goes: 64 ranges of 16-digit positions take less than 2,200. */
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
