import { type Case, each, expectThat } from "./case.js";
import {
  askForDigits,
  expectAbsent,
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
  ...dated("If-Modified-Since that holds", "If-Modified-Since", 304, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["the time as asctime writes it", "Wed Jun 25 17:12:18 2014"],
    ["the time as RFC 850 writes it", "Wednesday, 25-Jun-14 17:12:18 GMT"],
    ["a time in 2037", "Thu, 01 Jan 2037 00:00:00 GMT"],
    ["a time in 2174", "Sat, 01 Jan 2174 00:00:00 GMT"],
  ]),
  ...dated("If-Modified-Since that does not hold", "If-Modified-Since", 200, [
    ["an earlier time", EARLIER],
    ["garbage", "yesterday"],
    ["a time as ISO 8601 writes it", "2014-06-25T17:12:18Z"],
  ]),
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
    ["w/<opaque>"],
    ['"a b"'],
  ]),
  ...both("If-None-Match beside If-Modified-Since", [
    ["If-None-Match that misses and If-Modified-Since that hits", 200, '"foo"', MODIFIED],
    ["If-None-Match that hits and an earlier If-Modified-Since", 304, "<tag>", EARLIER],
  ]),
  ...tagged("If-Match that hits", "If-Match", 200, [["<strong>"], ['"a", <strong>'], ['"a"\t,\t<strong>'], ["*"]]),
  ...tagged("If-Match that misses", "If-Match", 412, [['"foo"'], ["W/<opaque>"]]),
  ...dated("If-Unmodified-Since", "If-Unmodified-Since", 200, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["garbage", "yesterday"],
  ]),
  ...dated("If-Unmodified-Since", "If-Unmodified-Since", 412, [["an earlier time", EARLIER]]),
  {
    topic: "If-Match beside If-Unmodified-Since",
    title: "answers 200 to If-Match that hits and an earlier If-Unmodified-Since",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const headers = { "If-Match": await withTag(subject, url, "<strong>"), "If-Unmodified-Since": EARLIER };
      expectWhole(await subject.ask(url, { headers }));
    },
  },
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
  {
    topic: "a modification time of 0 or in the future",
    title: "says no Last-Modified of a file whose time is 0",
    async check(subject) {
      const { url } = await subject.place({ content: "", modifiedAt: 0 });
      expectHeader(await subject.ask(url), "Last-Modified", undefined);
    },
  },
  {
    topic: "a modification time of 0 or in the future",
    title: "says no Last-Modified after Date of a file whose time is to come",
    async check(subject) {
      const { url } = await subject.place({ content: "", modifiedAt: Date.now() / 1000 + 86_400 });
      const answer = await subject.ask(url);
      const times = ["Last-Modified", "Date"].map((name) => new Date(answer.header(name) ?? "").getTime());
      expectThat(times[0]! <= times[1]!, "in the future", "Last-Modified is after Date.");
    },
  },
];

function dated(topic: Topic, header: string, status: number, rows: readonly (readonly [string, string])[]): Case[] {
  return each(
    topic,
    rows,
    ([what]) => `answers ${status} to ${header} with ${what}`,
    async (subject, [_, value]) => expectDecision(await askForDigits(subject, { [header]: value }), status),
  );
}

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

function expectDecision(answer: Parameters<typeof expectStatus>[0], status: number): void {
  if (status === 200) expectWhole(answer);
  else expectStatus(answer, status);
}
