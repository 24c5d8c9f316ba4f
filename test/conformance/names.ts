import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Case, Deviation, each, expectThat } from "./case.js";
import { DIGITS, expectHeader, expectStatus, expectWhole } from "./fixture.js";
import { expectSaysNothing } from "./headers.js";
import type { Subject } from "./subject.js";
import type { Topic } from "./topics.js";

/** What lies outside, or belongs to another record. */
const SECRET = "the bytes of somebody else";

/** Which file a name names. */
export const nameCases: Case[] = [
  ...each(
    "a sibling `.gz`, `.br`, `.html`",
    [
      ["a.pdf", "a.pdf.gz", "gzip"],
      ["a.pdf", "a.pdf.br", "gzip, deflate, br"],
      ["page", "page.html", "gzip"],
      ["a.tar", "a.tar.gz", "gzip"],
    ],
    ([name, sibling, encodings]) =>
      `sends the bytes of ${name}, not of ${sibling} beside it, to one who takes ${encodings}`,
    async (subject, [name, sibling, encodings]) => {
      const { url, path } = await subject.place({ key: newKey(name), content: DIGITS });
      await subject.put(join(path, "..", sibling), SECRET);
      const answer = await subject.ask(url, { headers: { "Accept-Encoding": encodings } });
      expectHeader(answer, "Content-Encoding", undefined);
      expectWhole(answer);
    },
  ),
  ...each(
    "a key that decodes to another",
    [["docs/1/..%2f2%2fsecret.pdf", "docs/2/secret.pdf"]],
    ([key]) => `sends the bytes of ${key} as that file's, decoding nothing twice`,
    expectOwnBytes,
  ),
  ...each(
    "keys with `%`",
    [
      ["percent/%41.pdf", "percent/A.pdf"],
      ["percent/100%.pdf", undefined],
      ["percent/a%2fb.pdf", "percent/a/b.pdf"],
    ],
    ([key]) => `sends the bytes of the file that is called ${key}`,
    expectOwnBytes,
  ),
  ...each(
    "the text of 404",
    [
      ["ENOENT", "missing/none.pdf"],
      ["ENAMETOOLONG", `missing/${"long".repeat(100)}.pdf`],
      ["ENOTDIR", "missing/file/none.pdf"],
    ],
    ([code]) => `answers 404 without a path where the disk says ${code}`,
    async (subject, [, key]) => {
      await subject.put(join(subject.root, "missing", "file"), DIGITS);
      const { url } = await subject.place({ key });
      const answer = await subject.ask(url);
      expectStatus(answer, 404);
      expectSaysNothing(subject, answer.body);
    },
  ),
  ...refused("NUL and broken UTF-8 in the address", [["%00"], ["%ff"], ["%E0%A4%A"], ["%c0%ae%c0%ae/outside.txt"]]),
  ...refused("addresses that climb", [
    ["../outside.txt"],
    ["..%2foutside.txt"],
    ["%2e%2e/outside.txt"],
    ["..\\outside.txt"],
    ["../files-of-others/outside.txt"],
  ]),
  ...refused("absolute paths in the address", [
    ["<outside>/outside.txt"],
    ["/<outside>/outside.txt"],
    ["C:\\outside.txt"],
  ]),
  {
    topic: "no root",
    title: "does not start to serve files without being told from where",
    async check(subject) {
      await subject.put(join(subject.cwd, "package.json"), SECRET);
      const port = await subject.serveWithoutRoot().catch(() => undefined);
      if (port === undefined) return;
      const answer = await subject.ask("/package.json", {}, port);
      throw new Deviation(answer.status === 200 ? "serves its cwd" : "starts", "It starts without a root.");
    },
  },
  ...each(
    "names that begin with a dot",
    [["dots/.env.pdf"], ["dots/.folder/file.pdf"]],
    ([key]) => `sends the file that is called ${key}`,
    (subject, [key]) => expectOwnBytes(subject, [key, undefined]),
  ),
  {
    topic: "folders, and a slash at the end",
    title: "answers 404 where a folder has the file's name",
    async check(subject) {
      const { url, path } = await subject.place({ key: newKey("folder") });
      await mkdir(path, { recursive: true });
      expectStatus(await subject.ask(url), 404);
    },
  },
  {
    topic: "folders, and a slash at the end",
    title: "answers 404 to a slash behind the file's address",
    async check(subject) {
      const { url } = await subject.place({ content: DIGITS });
      expectStatus(await subject.ask(`${url}/`), 404);
    },
  },
];

function newKey(name: string): string {
  return `names/${crypto.randomUUID()}/${name}`;
}

async function expectOwnBytes(subject: Subject, [key, other]: readonly [string, string | undefined]): Promise<void> {
  if (other !== undefined) await subject.put(join(subject.root, other), SECRET);
  await subject.put(join(subject.root, key), DIGITS);
  const answer = await subject.ask((await subject.place({ key })).url);
  expectThat(!answer.body.includes(SECRET), "wrong file", `Asked for ${key} it sends ${other}.`);
  expectWhole(answer);
}

function refused(topic: Topic, rows: readonly (readonly [string])[]): Case[] {
  return each(
    topic,
    rows,
    ([name]) => `answers 4xx to ${name} in place of a name`,
    async (subject, [name]) => {
      const { base } = await subject.place({ content: DIGITS });
      await subject.put(join(subject.outside, "outside.txt"), SECRET);
      await subject.put(join(subject.outside, "files-of-others", "outside.txt"), SECRET);
      const answer = await subject.ask(`${base}/${name.replace("<outside>", subject.outside)}`);
      expectThat(!answer.body.includes(SECRET), "file from outside", `${name} leads out of the root.`);
      expectStatus(answer, 400, 403, 404);
      expectSaysNothing(subject, answer.body);
    },
  );
}
