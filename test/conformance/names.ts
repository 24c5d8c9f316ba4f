import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Case, Deviation, each, expectThat } from "./case.js";
import { DIGITS, expectHeader, expectStatus, expectWhole } from "./fixture.js";
import { expectSaysNothing } from "./headers.js";
import type { Subject } from "./subject.js";

/** What lies outside, or belongs to another record. */
const SECRET = "the bytes of somebody else";

/** Which file a name names: K1 to K4, and K16 to K21. */
export const nameCases: Case[] = [
  ...each(
    "K1, H64",
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
    "K2",
    [["docs/1/..%2f2%2fsecret.pdf", "docs/2/secret.pdf"]],
    ([key]) => `sends the bytes of ${key} as that file's, decoding nothing twice`,
    expectOwnBytes,
  ),
  ...each(
    "K3",
    [
      ["k3/%41.pdf", "k3/A.pdf"],
      ["k3/100%.pdf", undefined],
      ["k3/a%2fb.pdf", "k3/a/b.pdf"],
    ],
    ([key]) => `sends the bytes of the file that is called ${key}`,
    expectOwnBytes,
  ),
  ...each(
    "K4",
    [
      ["ENOENT", "k4/missing.pdf"],
      ["ENAMETOOLONG", `k4/${"long".repeat(100)}.pdf`],
      ["ENOTDIR", "k4/file/missing.pdf"],
    ],
    ([code]) => `answers 404 without a path where the disk says ${code}`,
    async (subject, [, key]) => {
      await subject.put(join(subject.root, "k4", "file"), DIGITS);
      const { url } = await subject.place({ key });
      const answer = await subject.ask(url);
      expectStatus(answer, 404);
      expectSaysNothing(subject, answer.body);
    },
  ),
  ...refused("K16", [["%00"], ["%ff"], ["%E0%A4%A"], ["%c0%ae%c0%ae/outside.txt"]]),
  ...refused("K17", [
    ["../outside.txt"],
    ["..%2foutside.txt"],
    ["%2e%2e/outside.txt"],
    ["..\\outside.txt"],
    ["../files-of-others/outside.txt"],
  ]),
  ...refused("K18", [["<outside>/outside.txt"], ["/<outside>/outside.txt"], ["C:\\outside.txt"]]),
  {
    id: "K19",
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
    "K20",
    [["k20/.env.pdf"], ["k20/.folder/file.pdf"]],
    ([key]) => `sends the file that is called ${key}`,
    (subject, [key]) => expectOwnBytes(subject, [key, undefined]),
  ),
  {
    id: "K21",
    title: "answers 404 where a folder has the file's name",
    async check(subject) {
      const { url, path } = await subject.place({ key: newKey("folder") });
      await mkdir(path, { recursive: true });
      expectStatus(await subject.ask(url), 404);
    },
  },
  {
    id: "K21",
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

function refused(id: string, rows: readonly (readonly [string])[]): Case[] {
  return each(
    id,
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
