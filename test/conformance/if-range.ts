import { type Case, each } from "./case.js";
import { DIGITS, expectPart, expectStatus, expectWhole, MODIFIED, placeDigits } from "./fixture.js";
import { withTag } from "./tags.js";
import type { Topic } from "./topics.js";

const EARLIER = "Wed, 25 Jun 2014 17:12:17 GMT";

/** If-Range, and conditions beside a Range. */
export const ifRangeCases: Case[] = [
  ...withIfRange("If-Range that holds", true, [["<strong>"], [MODIFIED]]),
  ...withIfRange("If-Range that does not hold", false, [
    ['"foo"'],
    ["W/<opaque>"],
    ["Wed, 25 Jun 2014 17:12:19 GMT"],
    ["Wed, 25 Jun 2014 17:12:17 GMT"],
    ["garbage"],
    [""],
    ['<tag>, "foo"'],
  ]),
  {
    topic: "If-Range without a range to send",
    title: "answers 200 with the whole file to If-Range without Range",
    async check(subject) {
      const { url } = await placeDigits(subject);
      expectWhole(await subject.ask(url, { headers: { "If-Range": MODIFIED } }));
    },
  },
  {
    topic: "If-Range without a range to send",
    title: "answers 416 to a Range behind the end with If-Range that holds",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const headers = { "If-Range": await withTag(subject, url, "<strong>"), Range: "bytes=11-" };
      expectStatus(await subject.ask(url, { headers }), 416);
    },
  },
  ...each(
    "conditions beside Range",
    [
      [304, "If-None-Match", "<tag>"],
      [412, "If-Match", '"foo"'],
      [412, "If-Unmodified-Since", EARLIER],
      [304, "If-Modified-Since", MODIFIED],
      [206, "If-None-Match", '"foo"'],
      [206, "If-Match", "<strong>"],
      [206, "If-Match", "*"],
      [206, "If-Unmodified-Since", MODIFIED],
      [206, "If-Modified-Since", EARLIER],
    ],
    ([status, name, value]) => `answers ${status} to ${name}: ${value} beside a Range`,
    async (subject, [status, name, value]) => {
      const { url } = await placeDigits(subject);
      const headers = { [name]: await withTag(subject, url, value), Range: "bytes=0-4" };
      const answer = await subject.ask(url, { headers });
      if (status === 206) expectPart(answer, "0-4/11", "01234");
      else expectStatus(answer, status);
    },
  ),
  ...each(
    "conditions beside Range",
    [
      [304, "<tag>", "<strong>"],
      [304, "<tag>", '"foo"'],
      [206, '"foo"', "<strong>"],
      [206, '"foo"', MODIFIED],
      [200, '"foo"', '"foo"'],
      [200, '"foo"', EARLIER],
    ],
    ([status, none, range]) => `answers ${status} to If-None-Match: ${none} with If-Range: ${range} and a Range`,
    async (subject, [status, none, range]) => {
      const { url } = await placeDigits(subject);
      const [ifNoneMatch, ifRange] = [await withTag(subject, url, none), await withTag(subject, url, range)];
      const headers = { "If-None-Match": ifNoneMatch, "If-Range": ifRange, Range: "bytes=0-4" };
      const answer = await subject.ask(url, { headers });
      if (status === 206) expectPart(answer, "0-4/11", "01234");
      else if (status === 200) expectWhole(answer);
      else expectStatus(answer, status);
    },
  ),
  {
    topic: "If-Range that holds",
    title: "answers 206 with the part to If-Range with the second in which the file was changed",
    async check(subject) {
      const { url } = await subject.place({ content: DIGITS, modifiedAt: new Date(Date.parse(MODIFIED) + 999) });
      const answer = await subject.ask(url, { headers: { "If-Range": MODIFIED, Range: "bytes=0-4" } });
      expectPart(answer, "0-4/11", "01234");
    },
  },
];

function withIfRange(topic: Topic, holds: boolean, rows: readonly (readonly [value: string])[]) {
  return each(
    topic,
    rows,
    ([value]) =>
      `answers ${holds ? "206 with the part" : "200 with the whole file"} to If-Range: ${value || "(empty)"}`,
    async (subject, [value]) => {
      const { url } = await placeDigits(subject);
      const headers = { "If-Range": await withTag(subject, url, value), Range: "bytes=0-4" };
      const answer = await subject.ask(url, { headers });
      if (holds) expectPart(answer, "0-4/11", "01234");
      else expectWhole(answer);
    },
  );
}
