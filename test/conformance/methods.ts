import { readAnswer } from "./answer.js";
import { type Case, each, expectThat } from "./case.js";
import {
  askForDigits,
  DIGITS,
  expectHeader,
  expectHeaderLike,
  expectStatus,
  expectWhole,
  MODIFIED,
  placeDigits,
} from "./fixture.js";
import type { Subject } from "./subject.js";
import { withTag } from "./tags.js";
import { type Request, readToEnd, requestText } from "./wire.js";

/** HEAD, other methods, and HTTP/1.0. */
export const methodCases: Case[] = [
  {
    topic: "HEAD",
    title: "answers HEAD with the headers of GET, and no body",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const [get, head] = [await subject.ask(url), await subject.ask(url, { method: "HEAD" })];
      expectWhole(get);
      expectStatus(head, 200);
      const [wanted, came] = [get, head].map((answer) => answer.headersButDate.join("\n"));
      expectThat(wanted === came, "other headers", `HEAD has\n${came}\nwhere GET has\n${wanted}`);
    },
  },
  {
    topic: "HEAD with Range",
    title: "answers 200 with the full length to HEAD with a Range",
    async check(subject) {
      const answer = await askForDigits(subject, { Range: "bytes=0-4" }, "HEAD");
      expectStatus(answer, 200);
      expectHeader(answer, "Content-Length", "11");
      expectHeader(answer, "Content-Range", undefined);
    },
  },
  ...each(
    "HEAD with conditions",
    [
      [304, "If-None-Match", "<tag>"],
      [304, "If-Modified-Since", MODIFIED],
      [412, "If-Match", '"foo"'],
    ],
    ([status, name, value]) => `answers ${status} to HEAD with ${name}: ${value}`,
    async (subject, [status, name, value]) => {
      const { url } = await placeDigits(subject);
      const headers = { [name]: await withTag(subject, url, value) };
      expectStatus(await subject.ask(url, { method: "HEAD", headers }), status);
    },
  ),
  ...each(
    "other methods, and bodies of GET",
    [["POST"], ["PUT"], ["PATCH"], ["DELETE"], ["PROPFIND"], ["TRACE"]],
    ([method]) => `refuses ${method} with 405 or 501, and with Allow`,
    async (subject, [method]) => {
      const answer = await askForDigits(subject, {}, method);
      expectStatus(answer, 405, 501);
      expectHeaderLike(answer, "Allow", /^(?=.*\bGET\b)(?=.*\bHEAD\b)/);
      expectThat(!answer.body.includes(DIGITS), "has bytes", "A refusal has the file's bytes.");
    },
  ),
  {
    topic: "other methods, and bodies of GET",
    title: "answers 200 with the file to GET, whatever X-HTTP-Method-Override says",
    check: async (subject) => expectWhole(await askForDigits(subject, { "X-HTTP-Method-Override": "DELETE" })),
  },
  {
    topic: "other methods, and bodies of GET",
    title: "reads over a body of GET: the next request on the connection is answered",
    check: (subject) => expectTwoAnswers(subject, { body: "GET / HTTP/1.1", last: false }, {}),
  },
  {
    topic: "HTTP/1.0",
    title: "answers HTTP/1.0 with the file, and closes the connection",
    async check(subject) {
      const { url } = await placeDigits(subject);
      const answer = await subject.ask(url, { version: "1.0" });
      expectWhole(answer);
      expectHeader(answer, "Transfer-Encoding", undefined);
    },
  },
  {
    topic: "HTTP/1.0",
    title: "answers two requests on one connection of HTTP/1.0 with keep-alive",
    check: (subject) =>
      expectTwoAnswers(subject, { version: "1.0", headers: { Connection: "keep-alive" } }, { version: "1.0" }),
  },
];

async function expectTwoAnswers(subject: Subject, first: Request, second: Request): Promise<void> {
  const { url } = await placeDigits(subject);
  const socket = await subject.connect();
  socket.write(requestText(url, first) + requestText(url, second));
  const [answer, rest] = readAnswer(await readToEnd(socket), { more: true });
  expectWhole(answer);
  expectWhole(readAnswer(rest)[0]);
}
