import { type Case, each } from "./case.js";
import {
  expectAbsent,
  expectDecision,
  expectHeader,
  expectHeaderLike,
  expectStatus,
  expectWhole,
  MODIFIED,
  placeDigits,
} from "./fixture.js";
import { tagOf, withTag } from "./tags.js";
import type { Topic } from "./topics.js";

const EARLIER = "Wed, 25 Jun 2014 17:12:17 GMT";
const LATER = "Wed, 25 Jun 2014 17:12:19 GMT";

/** Conditional requests. */
export const conditionCases: Case[] = [
  ...tagged("If-None-Match that hits", "If-None-Match", 304, [
    ["<tag>"],
    ["W/<opaque>"],
    ['<tag>, "a", "b"'],
    ['"a", <tag>, "b"'],
    ['"a", "b", <tag>'],
    ['"a"\t,\t<tag>\t,\t"b"'],
    ["*"],
  ]),
  ...tagged("If-None-Match that misses", "If-None-Match", 200, [
    ['"foo"'],
    ["<otherCase>"],
    [","],
    ["<unquoted>"],
    ["W/"],
    ['W/"truc'],
    ['*, "bar"'],
    ['"bar", *'],
    ["w/<opaque>"],
    ['"a b"'],
  ]),
  ...both("If-None-Match beside If-Modified-Since", [
    ["If-None-Match that misses and If-Modified-Since that hits", 200, '"foo"', MODIFIED],
    ["If-None-Match that hits and an earlier If-Modified-Since", 304, "<tag>", EARLIER],
  ]),
  ...tagged("If-Match that hits", "If-Match", 200, [["<strong>"], ['"a", <strong>'], ['"a"\t,\t<strong>'], ["*"]]),
  ...tagged("If-Match that misses", "If-Match", 412, [['"foo"'], ["W/<opaque>"], ['*, "bar"']]),
  {
    topic: "If-Match beside If-Unmodified-Since",
    title: "answers 200 to If-Match that hits and an earlier If-Unmodified-Since",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const headers = { "If-Match": await withTag(subject, url, "<strong>"), "If-Unmodified-Since": EARLIER };
      expectWhole(await subject.ask(url, { headers }));
    },
  },
  ...each(
    "conditions on a missing file",
    [
      ["If-Match", "*"],
      ["If-Match", '"foo"'],
      ["If-None-Match", "*"],
      ["If-Modified-Since", LATER],
      ["If-Unmodified-Since", EARLIER],
    ],
    ([name, value]) => `answers 404 to ${name}: ${value} for a file that is not there`,
    async (subject, [name, value]) => {
      const { url } = await subject.place();
      const answer = await subject.ask(url, { headers: { [name]: value } });
      expectStatus(answer, 404);
      expectAbsent(answer, "ETag", "Last-Modified");
    },
  ),
  {
    topic: "the headers of 304",
    title: "answers 304 with Date, ETag and Cache-Control, and nothing of the representation",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const tag = await tagOf(subject, url);
      const answer = await subject.ask(url, { headers: { "If-None-Match": tag } });
      expectStatus(answer, 304);
      expectHeader(answer, "ETag", tag);
      expectHeaderLike(answer, "Date", / GMT$/);
      expectHeaderLike(answer, "Cache-Control", /\bprivate\b/);
      expectAbsent(answer, "Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition");
    },
  },
];

function tagged(topic: Topic, header: string, status: number, rows: readonly (readonly [value: string])[]): Case[] {
  return each(
    topic,
    rows,
    ([value]) => `answers ${status} to ${header}: ${value.replaceAll("\t", "<tab>")}`,
    async (subject, [value]) => {
      const { url } = await placeDigits(subject);
      const headers = { [header]: await withTag(subject, url, value) };
      expectDecision(await subject.ask(url, { headers }), status);
    },
  );
}

type BothRow = readonly [what: string, status: number, tag: string, date: string];

function both(topic: Topic, rows: readonly BothRow[]): Case[] {
  return each(
    topic,
    rows,
    ([what, status]) => `answers ${status} to ${what}`,
    async (subject, [_, status, tag, date]) => {
      const { url } = await placeDigits(subject);
      const headers = { "If-None-Match": await withTag(subject, url, tag), "If-Modified-Since": date };
      expectDecision(await subject.ask(url, { headers }), status);
    },
  );
}
