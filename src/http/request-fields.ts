import type { IncomingMessage } from "node:http";

const NAMES = ["if-match", "if-unmodified-since", "if-none-match", "if-modified-since", "range", "if-range"] as const;

/** The fields of a request that decide what is sent of a file: its conditions and its Range (RFC 9110 §13.1, §14.2). */
export type DecidingFields = { [name in (typeof NAMES)[number]]?: string };

/**
 * Reads the fields that decide what is sent, each with all of its lines, joined by commas (RFC 9110 §5.3). So two lists of tags are one
 * list, and two dates are no date, which has its field ignored (§13.1.3, §13.1.4). In `headers` Node keeps nothing but the first
 * line of a date, and over HTTP/2 of any of these fields.
 *
 * A field that middleware took out of `headers` is absent. `rawHeaders` is read for fields that are there, and else left alone.
 */
export function decidingFields(request: Pick<IncomingMessage, "headers" | "rawHeaders">): DecidingFields {
  const fields: DecidingFields = {};
  for (const name of NAMES) {
    const value = request.headers[name];
    if (value === undefined) continue;
    const lines = linesOf(name, request.rawHeaders);
    fields[name] = lines.length > 1 ? lines.join(", ") : String(value);
  }
  return fields;
}

/** @param rawHeaders names and values in turn. */
function linesOf(name: string, rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name);
}
