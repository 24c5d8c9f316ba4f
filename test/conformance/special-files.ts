import { link, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../support/programs.js";
import { needs } from "../support/requirements.js";
import { type Case, each, expectThat } from "./case.js";
import { expectStatus, expectWhole, placeDigits } from "./fixture.js";
import { SECRET, type Subject } from "./subject.js";
import { requestText } from "./wire.js";

const OUTSIDE = "outside: ";
const INSIDE = "inside:  ";

/** What is no regular file, or lies elsewhere. */
export const specialFileCases: Case[] = [
  {
    topic: "FIFOs",
    title: "answers 404 to four requests for FIFOs, and 200 to an ordinary one beside them",
    skip: needs("mkfifo"),
    async check(subject) {
      const digits = await placeDigits(subject);
      const fifos = await Promise.all([1, 2, 3, 4].map(() => placeFifo(subject)));
      const answers = fifos.map((url) => subject.ask(url));
      for (const answer of answers) answer.catch(() => {});
      await sleep(100);
      expectWhole(await subject.ask(digits.url));
      for (const answer of answers) expectStatus(await answer, 404);
    },
  },
  ...each(
    "a link to a device",
    [["/dev/zero"]],
    ([target]) => `answers 404 where a link leads to ${target}`,
    async (subject, [target]) => expectStatus(await subject.ask(await placeLink(subject, target)), 404),
  ),
  ...each(
    "a link into `/proc`",
    [["/proc/self/environ"]],
    ([target]) => `answers 404 where a link leads to ${target}`,
    async (subject, [target]) => {
      const socket = await subject.connect();
      socket.write(requestText(await placeLink(subject, target)));
      let received = "";
      for await (const chunk of socket) received += chunk;
      expectThat(!received.includes(SECRET), "environment sent", "The environment of the process is on the wire.");
      expectThat(/^HTTP\/1\.1 404 /.test(received), "no 404", `The answer is ${received.slice(0, 100)}`);
    },
  ),
  {
    topic: "links that lead outside",
    title: "answers 404 where a link leads to a file outside",
    async check(subject) {
      await subject.put(join(subject.outside, "linked.txt"), OUTSIDE);
      await expectNothingOf(subject, await placeLink(subject, join(subject.outside, "linked.txt")));
    },
  },
  {
    topic: "links that lead outside",
    title: "answers 404 where a link to a folder outside is on the way",
    async check(subject) {
      await subject.put(join(subject.outside, "linked", "file.txt"), OUTSIDE);
      const placed = await subject.place({ key: `links/${crypto.randomUUID()}/file.txt` });
      await subject.put(join(dirname(placed.path), "..", "neighbour"), "");
      await symlink(join(subject.outside, "linked"), dirname(placed.path));
      await expectNothingOf(subject, placed.url);
    },
  },
  {
    topic: "a link put in the place of a file",
    title: "sends nothing from outside while a file and a link to another change places",
    check: expectNothingWhileSwapped,
  },
];

async function placeFifo(subject: Subject): Promise<string> {
  const { url, path } = await subject.place();
  const { code, stderr } = await run("mkfifo", path);
  if (code !== 0) throw new Error(`mkfifo: ${stderr}`);
  return url;
}

async function placeLink(subject: Subject, target: string): Promise<string> {
  const { url, path } = await subject.place();
  await symlink(target, path);
  return url;
}

async function expectNothingOf(subject: Subject, url: string): Promise<void> {
  const answer = await subject.ask(url);
  expectThat(!answer.body.includes(OUTSIDE), "file from outside", "A link leads out of the root.");
  expectStatus(answer, 404);
}

async function expectNothingWhileSwapped(subject: Subject): Promise<void> {
  const { url, path } = await subject.place({ content: INSIDE });
  await subject.put(join(subject.outside, "swapped.txt"), OUTSIDE);
  await symlink(join(subject.outside, "swapped.txt"), `${path}.link`);
  const stopped = new AbortController();
  const swapping = swap(path, stopped.signal);
  try {
    for (let asked = 0; asked < 25; asked++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => subject.ask(url)));
      for (const answer of answers) {
        expectThat(!answer.body.includes(OUTSIDE), "file from outside", "A link leads out of the root.");
        expectStatus(answer, 200, 404);
      }
    }
  } finally {
    stopped.abort();
    await swapping;
  }
}

/** Now it is the file, now it is the link. */
async function swap(path: string, signal: AbortSignal): Promise<void> {
  await link(path, `${path}.file`);
  for (let n = 0; !signal.aborted; n++) {
    await rm(`${path}.next`, { force: true });
    await link(n % 2 === 0 ? `${path}.link` : `${path}.file`, `${path}.next`);
    await rename(`${path}.next`, path);
  }
}
