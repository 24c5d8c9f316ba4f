import { type Case, each, expectThat } from "./case.js";
import {
  askForDigits,
  DIGITS,
  expectAbsent,
  expectHeader,
  expectHeaderLike,
  expectPart,
  expectStatus,
  expectWhole,
  type Headers,
  placeDigits,
} from "./fixture.js";
import { tagOf } from "./tags.js";
import type { Topic } from "./topics.js";

/** One range of a small file. */
export const rangeCases: Case[] = [
  ...satisfiable("one range", [
    ["bytes=0-4", 0, 4],
    ["bytes=2-", 2, 10],
    ["bytes=-5", 6, 10],
    ["bytes=3-7", 3, 7],
    ["bytes=5-1000", 5, 10],
    ["bytes=0-9", 0, 9],
    ["bytes=0-10", 0, 10],
    ["bytes=0-11", 0, 10],
    ["bytes=10-11", 10, 10],
    ["bytes=10-", 10, 10],
    ["bytes=-15", 0, 10],
  ]),
  ...unsatisfiable("a range behind the end", [
    ["bytes=11-"],
    ["bytes=11-12"],
    ["bytes=12-12"],
    ["bytes=11-100"],
    ["bytes=12-100"],
    ["bytes=100-"],
    ["bytes=100-1000"],
  ]),
  ...unsatisfiable("a range of no bytes", [["bytes=-0"], ["bytes=-0,-0"]]),
  ...ignored("a Range that breaks the grammar", [
    ["foo"],
    ["bytes"],
    ["bytes="],
    ["bytes=7"],
    ["bytes= 7 "],
    ["bytes=5-4"],
    ["bytes=0-2,5-4"],
    ["bytes=2-5,4-3"],
    ["bytes=--6"],
    ["bytes=--0"],
    ["bytes=---0"],
    ["bytes=-6-"],
    ["bytes=A-"],
    ["bytes=A-Z"],
    ["bytes=5-Z"],
    ["bytes=Ran-dom, garbage"],
    ["bytes=0x01-0x02"],
    ["bytes=+0-4"],
    ["bytes=1e0-4"],
    ["bytes=10-11 12-"],
    ["bytes=1-4,x"],
    ["bytes=100-,x"],
    ["bytes=x,100-"],
    ["bytes=-0,5-4"],
    ["bytes=*/1234"],
    ["bytes=*/11"],
    ["bytes = 0-4"],
    ["bytes=,"],
    ["bytes= , , ,"],
    ["0-4"],
  ]),
  ...ignored("a Range in another unit", [["items=0-5"], ["seconds=1-2"]]),
  ...satisfiable("the unit in capitals", [
    ["BYTES=0-4", 0, 4],
    ["Bytes=0-4", 0, 4],
  ]),
  ...satisfiable("positions of twenty digits", [
    ["bytes=0-99999999999999999999", 0, 10],
    ["bytes=-99999999999999999999", 0, 10],
  ]),
  ...unsatisfiable("positions of twenty digits", [["bytes=99999999999999999999-"]]),
  ...each(
    "two Range headers",
    [[["bytes=0-4", "bytes=6-7"]]],
    () => "answers 200 with the whole file where there are two Range headers",
    async (subject, [range]) => expectWhole(await askForDigits(subject, { Range: range })),
  ),
  ...each(
    "a range of an empty file",
    [["bytes=0-"], ["bytes=-1"]],
    ([range]) => `answers 200 without a byte to ${range} of an empty file`,
    async (subject, [range]) => {
      const { url } = await subject.place({ content: "" });
      expectWhole(await subject.ask(url, { headers: { Range: range } }), "");
    },
  ),
];

function satisfiable(topic: Topic, rows: readonly (readonly [range: string, start: number, end: number])[]): Case[] {
  return each(
    topic,
    rows,
    ([range, start, end]) => `answers 206 with the bytes ${start}-${end} of 11 to ${range}`,
    async (subject, [range, start, end]) => {
      const { url } = await placeDigits(subject);
      const answer = await subject.ask(url, { headers: { Range: range } });
      expectPart(answer, `${start}-${end}/11`, DIGITS.slice(start, end + 1));
      expectHeader(answer, "ETag", await tagOf(subject, url));
    },
  );
}

function unsatisfiable(topic: Topic, rows: readonly (readonly [range: string])[]): Case[] {
  return each(
    topic,
    rows,
    ([range]) => `answers 416 and nothing of the file to ${range}`,
    async (subject, [range]) => {
      const answer = await askForDigits(subject, { Range: range });
      expectStatus(answer, 416);
      expectHeader(answer, "Content-Range", "bytes */11");
      expectAbsent(answer, "Content-Disposition", "ETag", "Last-Modified");
      expectHeaderLike(answer, "Cache-Control", /\bno-store\b/);
      expectThat(!answer.body.includes(DIGITS.slice(0, 4)), "has bytes", "A 416 has bytes of the file.");
    },
  );
}

function ignored(topic: Topic, rows: readonly (readonly [range: string])[]): Case[] {
  return each(
    topic,
    rows,
    ([range]) => `answers 200 with the whole file to "${range}", which is no Range`,
    async (subject, [range]) => expectWhole(await askForDigits(subject, { Range: range } satisfies Headers)),
  );
}
