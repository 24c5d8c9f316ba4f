import { type Case, each } from "./case.js";
import { expectPart, expectStatus, expectWhole, MODIFIED, placeDigits } from "./fixture.js";
import { withTag } from "./tags.js";
import type { Topic } from "./topics.js";

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
      [412, "If-Unmodified-Since", "Wed, 25 Jun 2014 17:12:17 GMT"],
    ],
    ([status, name, value]) => `answers ${status} to ${name}: ${value} beside a Range`,
    async (subject, [status, name, value]) => {
      const { url } = await placeDigits(subject);
      const headers = { [name]: await withTag(subject, url, value), Range: "bytes=0-4" };
      expectStatus(await subject.ask(url, { headers }), status);
    },
  ),
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
