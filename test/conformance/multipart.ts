import { type Case, each, expectThat } from "./case.js";
import { DIGITS, expectBytes, expectHeader, expectPart, expectStatus, expectWhole, pattern } from "./fixture.js";
import { expectParts, type Span } from "./multipart-body.js";
import type { Subject } from "./subject.js";
import { tagOf } from "./tags.js";
import type { Topic } from "./topics.js";

const THOUSAND = pattern(1000);
const digits = Buffer.from(DIGITS);

/** Several ranges in one request. */
export const multipartCases: Case[] = [
  ...inParts("several ranges", [
    ["bytes=0-0,-2", digits, [0, 0], [9, 10]],
    ["bytes=0-1,5-8", digits, [0, 1], [5, 8]],
    ["bytes=0-1,5-", digits, [0, 1], [5, 10]],
    ["bytes=0-0 ,2-2, 7-", digits, [0, 0], [2, 2], [7, 10]],
    ["bytes=-2 , 7-", digits, [7, 10]],
    ["bytes=0-4,100-", digits, [0, 4]],
    ["bytes=7-8,0-1", digits, [7, 8], [0, 1]],
    ["bytes=0-9,-10,10-19", THOUSAND, [0, 19], [990, 999]],
  ]),
  ...inParts("few, many and far too many ranges", [
    [rangeOf(1), THOUSAND, ...everyThird(1)],
    [rangeOf(2), THOUSAND, ...everyThird(2)],
    [rangeOf(8), THOUSAND, ...everyThird(8)],
  ]),
  ...each(
    "few, many and far too many ranges",
    [[9], [300]],
    ([count]) => `answers 200 with the whole file to ${count} ranges`,
    async (subject, [count]) => expectWhole(await askFor(subject, rangeOf(count), THOUSAND), THOUSAND),
  ),
  ...each(
    "few, many and far too many ranges",
    [[`bytes=${"0-0,".repeat(4000)}0-0`]],
    () => "answers 200 with the whole file, or 431, to 16 KiB of ranges",
    async (subject, [range]) => {
      const answer = await askFor(subject, range, digits);
      expectStatus(answer, 200, 431);
      if (answer.status === 200) expectBytes(answer, digits);
    },
  ),
  ...each(
    "few, many and far too many ranges",
    [["bytes=0-,1-,2-,3-,4-"]],
    ([range]) => `sends no byte twice to ${range}`,
    async (subject, [range]) => {
      const answer = await askFor(subject, range, digits);
      expectStatus(answer, 200, 206);
      expectThat(answer.body.equals(digits), "other bytes", "The body is not the file.");
    },
  ),
];

function inParts(topic: Topic, rows: readonly (readonly [range: string, content: Buffer, ...spans: Span[]])[]): Case[] {
  return each(
    topic,
    rows,
    ([range, content, ...spans]) =>
      `answers 206 with ${spans.map((span) => span.join("-")).join(" and ")} of ${content.length} to ${range}`,
    async (subject, [range, content, ...spans]) => {
      const { url } = await subject.place({ content });
      const whole = await subject.ask(url);
      const answer = await subject.ask(url, { headers: { Range: range } });
      const [[start, end], ...others] = spans as [Span, ...Span[]];
      if (others.length > 0) expectParts(answer, content, spans, whole.header("Content-Type"));
      else expectPart(answer, `${start}-${end}/${content.length}`, content.subarray(start, end + 1));
      expectHeader(answer, "ETag", await tagOf(subject, url));
    },
  );
}

async function askFor(subject: Subject, range: string, content: Buffer) {
  const { url } = await subject.place({ content });
  return subject.ask(url, { headers: { Range: range } });
}

function everyThird(count: number): Span[] {
  return Array.from({ length: count }, (_, index) => [index * 3, index * 3 + 1]);
}

function rangeOf(count: number): string {
  return `bytes=${everyThird(count)
    .map((span) => span.join("-"))
    .join(",")}`;
}
