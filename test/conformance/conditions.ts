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

const EARLIER = "Wed, 25 Jun 2014 17:12:17 GMT";
const LATER = "Wed, 25 Jun 2014 17:12:19 GMT";

/** Conditional requests: H20 to H32. */
export const conditionCases: Case[] = [
  ...dated("H20", "If-Modified-Since", 304, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["the time as asctime writes it", "Wed Jun 25 17:12:18 2014"],
    ["the time as RFC 850 writes it", "Wednesday, 25-Jun-14 17:12:18 GMT"],
    ["a time in 2037", "Thu, 01 Jan 2037 00:00:00 GMT"],
    ["a time in 2174", "Sat, 01 Jan 2174 00:00:00 GMT"],
  ]),
  ...dated("H21", "If-Modified-Since", 200, [
    ["an earlier time", EARLIER],
    ["garbage", "yesterday"],
    ["a time as ISO 8601 writes it", "2014-06-25T17:12:18Z"],
  ]),
  ...tagged("H22", "If-None-Match", 304, [
    ["<tag>"],
    ["W/<opaque>"],
    ['<tag>, "a", "b"'],
    ['"a", <tag>, "b"'],
    ['"a", "b", <tag>'],
    ['"a"\t,\t<tag>\t,\t"b"'],
    ["*"],
  ]),
  ...tagged("H23", "If-None-Match", 200, [
    ['"foo"'],
    ["<otherCase>"],
    [","],
    ["<unquoted>"],
    ["W/"],
    ['W/"truc'],
    ["w/<opaque>"],
    ['"a b"'],
  ]),
  ...both("H24", [
    ["If-None-Match that misses and If-Modified-Since that hits", 200, '"foo"', MODIFIED],
    ["If-None-Match that hits and an earlier If-Modified-Since", 304, "<tag>", EARLIER],
  ]),
  ...tagged("H25", "If-Match", 200, [["<strong>"], ['"a", <strong>'], ['"a"\t,\t<strong>'], ["*"]]),
  ...tagged("H26", "If-Match", 412, [['"foo"'], ["W/<opaque>"]]),
  ...dated("H27", "If-Unmodified-Since", 200, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["garbage", "yesterday"],
  ]),
  ...dated("H27", "If-Unmodified-Since", 412, [["an earlier time", EARLIER]]),
  {
    id: "H28",
    title: "answers 200 to If-Match that hits and an earlier If-Unmodified-Since",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const headers = { "If-Match": await withTag(subject, url, "<strong>"), "If-Unmodified-Since": EARLIER };
      expectWhole(await subject.ask(url, { headers }));
    },
  },
  {
    id: "H30",
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
    id: "H32",
    title: "says no Last-Modified of a file whose time is 0",
    async check(subject) {
      const { url } = await subject.place({ content: "", modifiedAt: 0 });
      expectHeader(await subject.ask(url), "Last-Modified", undefined);
    },
  },
  {
    id: "H32",
    title: "says no Last-Modified after Date of a file whose time is to come",
    async check(subject) {
      const { url } = await subject.place({ content: "", modifiedAt: Date.now() / 1000 + 86_400 });
      const answer = await subject.ask(url);
      const times = ["Last-Modified", "Date"].map((name) => new Date(answer.header(name) ?? "").getTime());
      expectThat(times[0]! <= times[1]!, "in the future", "Last-Modified is after Date.");
    },
  },
];

function dated(id: string, header: string, status: number, rows: readonly (readonly [string, string])[]): Case[] {
  return each(
    id,
    rows,
    ([what]) => `answers ${status} to ${header} with ${what}`,
    async (subject, [_, value]) => expectDecision(await askForDigits(subject, { [header]: value }), status),
  );
}

function tagged(id: string, header: string, status: number, rows: readonly (readonly [value: string])[]): Case[] {
  return each(
    id,
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

function both(id: string, rows: readonly BothRow[]): Case[] {
  return each(
    id,
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
