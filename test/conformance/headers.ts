import { type Case, Deviation, each, expectThat } from "./case.js";
import {
  askForDigits,
  expectAbsent,
  expectHeader,
  expectHeaderLike,
  expectStatus,
  expectWhole,
  type Headers,
  placeDigits,
} from "./fixture.js";
import { RULE_FAILURE } from "./site.js";
import type { Subject } from "./subject.js";

/** What an answer says beside the bytes. */
export const headerCases: Case[] = [
  {
    topic: "headers of a private file",
    title: "answers 200 with the headers that keep a private file private",
    async check(subject) {
      const answer = await askForDigits(subject, {});
      expectWhole(answer);
      expectHeader(answer, "Cache-Control", "private, no-store");
      expectHeader(answer, "X-Content-Type-Options", "nosniff");
      expectHeader(answer, "Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'self'");
      expectHeader(answer, "Cross-Origin-Resource-Policy", "same-origin");
      expectHeader(answer, "Referrer-Policy", "no-referrer");
      expectHeader(answer, "Accept-Ranges", "bytes");
      expectHeader(answer, "Last-Modified", "Wed, 25 Jun 2014 17:12:18 GMT");
      expectHeaderLike(answer, "Content-Disposition", /^attachment; filename="digits\.txt"$/);
      expectHeaderLike(answer, "ETag", /^"[\x21\x23-\x7e]+"$/);
    },
  },
  ...each(
    "files that could run in a browser",
    [["html"], ["xhtml"], ["svg"], ["xml"], ["js"], ["mht"], ["swf"], ["wasm"], ["eml"]],
    ([extension]) => `sends a .${extension} file as an attachment of no type where files are to be shown`,
    async (subject, [extension]) => {
      const answer = await askToShow(subject, `file.${extension}`);
      expectHeaderLike(answer, "Content-Disposition", /^attachment\b/);
      expectHeader(answer, "Content-Type", "application/octet-stream");
    },
  ),
  {
    topic: "files that could run in a browser",
    title: "sends a .pdf file inline where files are to be shown",
    async check(subject) {
      const answer = await askToShow(subject, "file.pdf");
      expectHeader(answer, "Content-Type", "application/pdf");
      const disposition = answer.header("Content-Disposition") ?? "inline";
      expectThat(/^inline\b/.test(disposition), "attachment", `It is sent as ${disposition}.`);
    },
  },
  refusal("says nothing of the file with 403", 403, { "X-Rule": "deny" }),
  refusal("says nothing of the machine with 404", 404, {}, (url) => url.replace(/[^/]*$/, "missing.txt")),
  refusal("says nothing of the file with 412", 412, { "If-Match": '"foo"' }),
  refusal("says nothing of the file but its size with 416", 416, { Range: "bytes=11-" }),
  refusal("says nothing of the machine with 500", 500, { "X-Rule": "fail" }),
];

async function askToShow(subject: Subject, name: string) {
  const { shownUrl } = await subject.place({ key: `shown/${crypto.randomUUID()}/${name}`, content: "<p>" });
  const answer = await subject.ask(shownUrl);
  expectStatus(answer, 200);
  return answer;
}

function refusal(title: string, status: number, headers: Headers, change = (url: string) => url): Case {
  return {
    topic: "headers and text of a refusal",
    title,
    async check(subject) {
      const { url } = await placeDigits(subject);
      const answer = await subject.ask(change(url), { headers });
      expectStatus(answer, status);
      expectSaysNothing(subject, answer.body);
      expectAbsent(answer, "Content-Disposition", "ETag", "Last-Modified");
      if (status !== 416) expectAbsent(answer, "Content-Range");
      expectHeaderLike(answer, "Cache-Control", /\bno-store\b/);
    },
  };
}

/** Expects a body without a path, a word of a failed rule, or a system's error. */
export function expectSaysNothing(subject: Subject, body: Buffer): void {
  if (body.includes(subject.outside)) throw new Deviation("shows the path", `The body is ${body}`);
  const leaks = body.includes(RULE_FAILURE) || /ENO|EACC|Error:|SELECT/.test(body.toString("latin1"));
  expectThat(!leaks, "shows the error", `The body is ${body}`);
}
