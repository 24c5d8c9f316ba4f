import { Deviation, expectThat } from "./case.js";

/** An answer as it came over the wire, held against the framing of HTTP/1.1: its body is as long as it says. */
export class Answer {
  constructor(
    readonly status: number,
    private readonly lines: readonly (readonly [string, string])[],
    readonly body: Buffer,
  ) {}

  /** A header's value; lines of one name are joined as RFC 9110 §5.3 says. */
  header(name: string): string | undefined {
    const values = this.lines.filter(([line]) => line === name.toLowerCase()).map(([, value]) => value);
    return values.length > 0 ? values.join(", ") : undefined;
  }

  /** All headers but Date, sorted. */
  get headersButDate(): string[] {
    return this.lines
      .filter(([name]) => name !== "date")
      .map((line) => line.join(": "))
      .sort();
  }
}

/** What a body's end depends on, beside the headers. */
export interface Framing {
  /** The method of the request. (default: GET) */
  method?: string;
  /** Whether more may follow. (default: false) */
  more?: boolean;
}

/**
 * Reads the answer that some bytes begin with.
 *
 * @returns the answer, and what follows it.
 * @throws Deviation when it is none, or is cut off, or is longer than it says.
 */
export function readAnswer(bytes: Buffer, { method = "GET", more = false }: Framing = {}): [Answer, Buffer] {
  const end = bytes.indexOf("\r\n\r\n");
  expectThat(end >= 0, bytes.length === 0 ? "no answer" : "broken answer", "The connection ended without an answer.");
  const [statusLine = "", ...fields] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1]);
  expectThat(status > 0, "broken answer", `The answer begins with ${JSON.stringify(statusLine)}.`);
  const lines = fields.map(headerLine);
  const head = new Answer(status, lines, Buffer.alloc(0));
  const [body, rest] = splitBody(head, method, bytes.subarray(end + 4));
  expectThat(more || rest.length === 0, "bytes too many", `${rest.length} bytes follow the answer.`);
  return [new Answer(status, lines, body), rest];
}

function headerLine(line: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  expectThat(name !== undefined && value !== undefined, "broken header", `A header is ${JSON.stringify(line)}.`);
  return [name.toLowerCase(), value];
}

function splitBody(head: Answer, method: string, bytes: Buffer): [Buffer, Buffer] {
  const declared = head.header("Content-Length");
  expectThat(declared === undefined || /^\d+$/.test(declared), "broken length", `Content-Length is ${declared}.`);
  if (method === "HEAD" || head.status === 304) return [bytes.subarray(0, 0), bytes];
  if (/chunked/i.test(head.header("Transfer-Encoding") ?? "")) return splitChunks(bytes);
  const length = Number(declared ?? bytes.length);
  expectThat(bytes.length >= length, "cut off", `${length} bytes are promised, ${bytes.length} came.`);
  return [bytes.subarray(0, length), bytes.subarray(length)];
}

function splitChunks(bytes: Buffer): [Buffer, Buffer] {
  const chunks: Buffer[] = [];
  for (let rest = bytes; ; ) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.toString("latin1", 0, Math.max(end, 0)), 16);
    if (!(size >= 0) || rest.length < end + 4 + size) throw new Deviation("cut off", "A chunk is cut off.");
    chunks.push(rest.subarray(end + 2, end + 2 + size));
    rest = rest.subarray(end + 4 + size);
    if (size === 0) return [Buffer.concat(chunks), rest];
  }
}
