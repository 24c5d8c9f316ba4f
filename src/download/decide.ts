import { type Content, partialContent, wholeContent } from "../http/content.js";
import { evaluatePreconditions, ifRangeHolds, type Validators } from "../http/preconditions.js";
import type { DecidingFields } from "../http/request-fields.js";
import { selectRanges } from "../http/select-ranges.js";
import type { Description } from "./describe.js";

/** What a granted request is answered with. */
export type Decision = { status: 200 | 206; content: Content } | { status: 304 | 412 | 416; content?: undefined };

/**
 * Decides by the request's preconditions, then by its Range (RFC 9110 §13.2.2).
 *
 * @param ranges whether the delivery can send ranges; if not, the Range header is ignored, as RFC 9110 §14.2 allows.
 */
export function decide(
  method: string,
  fields: DecidingFields,
  { object: { size }, validators, type }: Description,
  ranges: boolean,
): Decision {
  const outcome = evaluatePreconditions(method, fields, validators);
  if (outcome === "not-modified") return { status: 304 };
  if (outcome === "failed") return { status: 412 };
  const asksForRanges = method === "GET" && ranges && rangeApplies(fields, validators);
  const selected = selectRanges(asksForRanges ? fields.range : undefined, size, type);
  if (selected.kind === "unsatisfiable") return { status: 416 };
  return selected.kind === "whole"
    ? { status: 200, content: wholeContent(size, type) }
    : { status: 206, content: partialContent(selected.ranges, size, type) };
}

function rangeApplies({ "if-range": ifRange }: DecidingFields, validators: Validators): boolean {
  return ifRange === undefined || ifRangeHolds(ifRange, validators);
}
