import type { Answer } from "./answer.js";
import { Deviation, expectThat } from "./case.js";
import { expectAbsent, expectHeader, expectStatus } from "./fixture.js";

/** A range of a file, both ends included. */
export type Span = readonly [start: number, end: number];

/** Expects a multipart answer with just these parts, in this order, and nothing else (RFC 9110 §14.6, RFC 2046 §5.1). */
export function expectParts(answer: Answer, content: Buffer, spans: readonly Span[], type: string | undefined): void {
  expectStatus(answer, 206);
  expectAbsent(answer, "Content-Range");
  expectHeader(answer, "Content-Length", String(answer.body.length));
  const boundary = boundaryOf(answer);
  expectThat(!content.includes(boundary), "boundary in file", "The file contains the boundary.");
  const parts = split(answer.body, boundary);
  expectThat(parts.length === spans.length, `${parts.length} parts`, `There are ${parts.length} parts.`);
  for (const [index, [start, end]] of spans.entries()) {
    const { headers, body } = readPart(parts[index]!);
    const range = `bytes ${start}-${end}/${content.length}`;
    expectThat(headers.get("content-range") === range, "other ranges", `A part is ${headers.get("content-range")}.`);
    expectThat(headers.get("content-type") === type, "other type", `A part is of ${headers.get("content-type")}.`);
    expectThat(body.equals(content.subarray(start, end + 1)), "other bytes", `The part ${range} has other bytes.`);
  }
}

function boundaryOf(answer: Answer): string {
  const type = answer.header("Content-Type") ?? "";
  const [, quoted, token] = /^multipart\/byteranges; ?boundary=(?:"([^"]{1,70})"|([\w'+.-]{1,70}))$/.exec(type) ?? [];
  const boundary = quoted ?? token;
  if (boundary === undefined) throw new Deviation("no multipart", `The type of the answer is ${type}.`);
  return boundary;
}

/** The parts between the delimiters. What comes before the first and after the last one has to be empty. */
function split(body: Buffer, boundary: string): string[] {
  const text = body.toString("latin1");
  const [before, ...rest] = (text.startsWith("--") ? `\r\n${text}` : text).split(`\r\n--${boundary}`);
  const after = rest.pop();
  expectThat(before === "", "has a preamble", "Something comes before the first part.");
  expectThat(after === "--\r\n" || after === "--", "broken multipart", "The last delimiter is broken.");
  return rest;
}

function readPart(part: string): { headers: Map<string, string>; body: Buffer } {
  const end = part.indexOf("\r\n\r\n");
  expectThat(part.startsWith("\r\n") && end >= 0, "broken multipart", "A part has no head.");
  const lines = part.slice(2, end).split("\r\n");
  const headers = new Map(lines.map((line) => [line.split(":")[0]!.toLowerCase(), line.replace(/^[^:]*:\s*/, "")]));
  return { headers, body: Buffer.from(part.slice(end + 4), "latin1") };
}
