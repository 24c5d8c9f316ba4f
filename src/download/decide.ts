import type { IncomingHttpHeaders } from "node:http";
import { type ByteRange, selectRanges } from "../http/byte-range.js";
import { evaluatePreconditions, ifRangeHolds, type Validators } from "../http/preconditions.js";

/** What a granted request is answered with. */
export type Decision =
  | { status: 200 }
  | { status: 206; range: ByteRange }
  | { status: 304 }
  | { status: 412 }
  | { status: 416 };

/**
 * Decides by the request's preconditions, then by its Range (RFC 9110 §13.2.2).
 *
 * @param size the number of bytes of the whole file.
 * @param ranges whether the delivery can send a range; if not, the Range header is ignored, as RFC 9110 §14.2 allows.
 */
export function decide(
  method: string,
  headers: IncomingHttpHeaders,
  size: number,
  validators: Validators,
  ranges: boolean,
): Decision {
  const outcome = evaluatePreconditions(method, headers, validators);
  if (outcome === "not-modified") return { status: 304 };
  if (outcome === "failed") return { status: 412 };
  if (method !== "GET" || !ranges || !rangeApplies(headers, validators)) return { status: 200 };
  const selected = selectRanges(headers.range, size);
  if (selected.kind === "unsatisfiable") return { status: 416 };
  const [range, ...others] = selected.kind === "ranges" ? selected.ranges : [];
  return range && others.length === 0 ? { status: 206, range } : { status: 200 };
}

/** The range that is sent; `undefined` for the whole file, and where none is sent. */
export function rangeOf(decision: Decision): ByteRange | undefined {
  return decision.status === 206 ? decision.range : undefined;
}

function rangeApplies(headers: IncomingHttpHeaders, validators: Validators): boolean {
  const ifRange = headers["if-range"];
  return ifRange === undefined || ifRangeHolds(String(ifRange), validators);
}
