import type { IncomingHttpHeaders } from "node:http";
import { parseHttpDate } from "./http-date.js";

/** What tells one state of a file from another (RFC 9110 §8.8). */
export interface Validators {
  /** The entity tag with its quotes, as it is sent: a strong one, without `W/`. */
  etag: string;
  /** When the file was last changed; only its whole seconds count. Without it, conditions on dates are ignored. (default: none) */
  lastModified?: Date;
}

/**
 * What the conditions of a request come to.
 *
 * - `proceed`: answer as if there were none; `Range` comes next.
 * - `not-modified`: answer 304, the client has this very state.
 * - `failed`: answer 412, the file is not in the state that the client counts on.
 */
export type PreconditionOutcome = "proceed" | "not-modified" | "failed";

/**
 * Decides a request's conditions, in the order of RFC 9110 §13.2.2: `If-Match`, or without it `If-Unmodified-Since`;
 * then `If-None-Match`, or without it `If-Modified-Since`. Ask only once the request is known to be allowed: the
 * answer tells about the file (§13.2.1).
 *
 * A date that is none is ignored. A list of entity tags that breaks the grammar anywhere names no tag at all, so that
 * a broken `If-None-Match` gets the file and a broken `If-Match` is refused. Never throws.
 *
 * @param method The request's method. Other ones than GET and HEAD get `failed` where those would get `not-modified`.
 * @param headers The request's headers as Node gives them, with names in lower case.
 * @param validators Those of the file as it is now. That there is one is taken for granted: `*` always matches.
 */
export function evaluatePreconditions(
  method: string,
  headers: IncomingHttpHeaders,
  validators: Validators,
): PreconditionOutcome {
  if (!isInExpectedState(headers, validators)) return "failed";
  const reads = method === "GET" || method === "HEAD";
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) {
    if (!namesTag(ifNoneMatch, validators.etag, weaklyEqual)) return "proceed";
    return reads ? "not-modified" : "failed";
  }
  return reads && isUnchangedSince(headers["if-modified-since"], validators) ? "not-modified" : "proceed";
}

/**
 * Whether a request's `Range` applies, going by its `If-Range` (RFC 9110 §13.1.5). If it does not, send the whole file.
 * Ask only when there is a `Range`: without one, `If-Range` means nothing.
 *
 * A tag holds when it is exactly the file's, and strong. A date holds when it is exactly the file's, to the second, and
 * that second had passed when the answer began: a file may change twice within one (§8.8.2.2). Never throws.
 *
 * @param header The field's value as Node gives it.
 * @param validators Those of the file as it is now.
 * @param now When the answer began, which is what its `Date` header tells. (default: the present)
 */
export function ifRangeHolds(header: string, validators: Validators, now: Date = new Date()): boolean {
  if (header.startsWith('"')) return header === validators.etag;
  const date = parseHttpDate(header, now);
  if (date === undefined || validators.lastModified === undefined) return false;
  const modified = seconds(validators.lastModified);
  return seconds(date) === modified && modified < seconds(now);
}

function isInExpectedState(headers: IncomingHttpHeaders, validators: Validators): boolean {
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined) return namesTag(ifMatch, validators.etag, stronglyEqual);
  return isUnchangedSince(headers["if-unmodified-since"], validators) ?? true;
}

/** Whether the file is no newer than the date of a header; `undefined` when that can't be told and the header is to be ignored. */
function isUnchangedSince(header: string | undefined, { lastModified }: Validators): boolean | undefined {
  const date = header === undefined ? undefined : parseHttpDate(header);
  return date && lastModified && seconds(lastModified) <= seconds(date);
}

function namesTag(list: string, etag: string, equal: (a: string, b: string) => boolean): boolean {
  return list === "*" || parseEntityTags(list).some((tag) => equal(tag, etag));
}

/** One element of a list of entity tags with what parts it from the next one. Elements may be empty (RFC 9110 §5.6.1.2, §8.8.3). */
const LIST_ELEMENT = /[ \t]*(?:((?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*")[ \t]*)?(?:,|$)/y;

function parseEntityTags(list: string): string[] {
  const tags: string[] = [];
  for (let at = 0; at < list.length; at = LIST_ELEMENT.lastIndex) {
    LIST_ELEMENT.lastIndex = at;
    const element = LIST_ELEMENT.exec(list);
    if (element === null) return [];
    if (element[1] !== undefined) tags.push(element[1]);
  }
  return tags;
}

function stronglyEqual(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

function weaklyEqual(a: string, b: string): boolean {
  return a.replace(/^W\//, "") === b.replace(/^W\//, "");
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
