import { type Case, each, expectThat } from "./case.js";
import { askForDigits, DIGITS, expectDecision, expectHeader, MODIFIED } from "./fixture.js";
import type { Topic } from "./topics.js";

const EARLIER = "Wed, 25 Jun 2014 17:12:17 GMT";
const LATER = "Wed, 25 Jun 2014 17:12:19 GMT";

/** Conditions on the time at which a file was changed. */
export const dateConditionCases: Case[] = [
  ...dated("If-Modified-Since that holds", "If-Modified-Since", 304, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["the time as asctime writes it", "Wed Jun 25 17:12:18 2014"],
    ["the time as RFC 850 writes it", "Wednesday, 25-Jun-14 17:12:18 GMT"],
    ["a time in 2037", "Thu, 01 Jan 2037 00:00:00 GMT"],
    ["the last second of 31 bits", "Tue, 19 Jan 2038 03:14:07 GMT"],
    ["the first second beyond 31 bits", "Tue, 19 Jan 2038 03:14:08 GMT"],
    ["that second as RFC 850 writes it", "Tuesday, 19-Jan-38 03:14:08 GMT"],
    ["the first second beyond 32 bits", "Sun, 07 Feb 2106 06:28:16 GMT"],
    ["a time in 2174", "Sat, 01 Jan 2174 00:00:00 GMT"],
  ]),
  ...dated("If-Modified-Since that does not hold", "If-Modified-Since", 200, [
    ["an earlier time", EARLIER],
    ["garbage", "yesterday"],
    ["a time as ISO 8601 writes it", "2014-06-25T17:12:18Z"],
    ["a time that 31 bits would take for one in 2038", "Fri, 13 Dec 1901 20:45:52 GMT"],
    ["the very time with a fraction", "Wed, 25 Jun 2014 17:12:18.000 GMT"],
    ["the very time in each of two lines", [MODIFIED, MODIFIED]],
    ["two lines of which the first is a later time", [LATER, EARLIER]],
  ]),
  ...dated("If-Unmodified-Since", "If-Unmodified-Since", 200, [
    ["the very time", MODIFIED],
    ["a later time", LATER],
    ["a time beyond 31 bits", "Tue, 19 Jan 2038 03:14:08 GMT"],
    ["garbage", "yesterday"],
    ["an earlier time in each of two lines", [EARLIER, EARLIER]],
    ["two lines of which the first is an earlier time", [EARLIER, LATER]],
  ]),
  ...dated("If-Unmodified-Since", "If-Unmodified-Since", 412, [["an earlier time", EARLIER]]),
  ...each(
    "a file changed within a second",
    [
      ["If-Modified-Since", MODIFIED, 304],
      ["If-Modified-Since", EARLIER, 200],
      ["If-Unmodified-Since", MODIFIED, 200],
      ["If-Unmodified-Since", EARLIER, 412],
    ],
    ([name, value, status]) => `answers ${status} to ${name}: ${value} for a file changed at 17:12:18.999`,
    async (subject, [name, value, status]) => {
      const { url } = await subject.place({ content: DIGITS, modifiedAt: new Date(Date.parse(MODIFIED) + 999) });
      expectDecision(await subject.ask(url, { headers: { [name]: value } }), status);
    },
  ),
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

type DatedRow = readonly [what: string, value: string | readonly string[]];

function dated(topic: Topic, header: string, status: number, rows: readonly DatedRow[]): Case[] {
  return each(
    topic,
    rows,
    ([what]) => `answers ${status} to ${header} with ${what}`,
    async (subject, [_, value]) => expectDecision(await askForDigits(subject, { [header]: value }), status),
  );
}
