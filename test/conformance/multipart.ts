import { type Case, each, expectThat } from "./case.js";
import { DIGITS, expectBytes, expectHeader, expectPart, expectStatus, expectWhole, pattern } from "./fixture.js";
import { expectParts, type Span } from "./multipart-body.js";
import type { Subject } from "./subject.js";
import { tagOf } from "./tags.js";
import type { Topic } from "./topics.js";

const THOUSAND = pattern(1000);
const digits = Buffer.from(DIGITS);
/** Longer than what is read at once, which is 16 to 256 KiB. */
const LARGE = pattern(600_000);
/** How large the blocks are that zsync asks for. */
const BLOCK = 2048;

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
    ["bytes=7-,0-1", digits, [7, 10], [0, 1]],
    ["bytes=5-,3-4,0-1", digits, [3, 10], [0, 1]],
    ["bytes=0-16383,16384-32767", LARGE, [0, 32767]],
    ["bytes=0-16382,16384-32768,32768-65535", LARGE, [0, 16382], [16384, 65535]],
    ["bytes=0-262143,262143-524287", LARGE, [0, 524287]],
    ["bytes=262144-524287,0-262142,524288-599999", LARGE, [262144, 599999], [0, 262142]],
    ["bytes=16383-16384,262143-262144,524287-524288", LARGE, [16383, 16384], [262143, 262144], [524287, 524288]],
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
  ...inParts("many ranges in ascending order", [
    [headerOf(blocks(20)), LARGE, ...blocks(20)],
    [headerOf(blocks(64)), LARGE, ...blocks(64)],
  ]),
  ...each(
    "many ranges in ascending order",
    [
      ["65 blocks", headerOf(blocks(65))],
      ["20 blocks in descending order", headerOf(blocks(20).reverse())],
      ["20 blocks of which two overlap", `${headerOf(blocks(20))},${blocks(20)[19]![1]}-599999`],
      ["20 blocks that are no longer than their headers", headerOf(blocks(20).map(([start]) => [start, start + 99]))],
    ] as const,
    ([what]) => `answers 200 with the whole file to ${what}`,
    async (subject, [_, range]) => expectWhole(await askFor(subject, range, LARGE), LARGE),
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
      spans.length > 8
        ? `answers 206 with ${spans.length} parts to as many blocks`
        : `answers 206 with ${spans.map((span) => span.join("-")).join(" and ")} of ${content.length} to ${range}`,
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
  return headerOf(everyThird(count));
}

/** Every fourth block of a file. */
function blocks(count: number): Span[] {
  return Array.from({ length: count }, (_, index) => [index * 4 * BLOCK, index * 4 * BLOCK + BLOCK - 1]);
}

function headerOf(spans: readonly Span[]): string {
  return `bytes=${spans.map((span) => span.join("-")).join(",")}`;
}
