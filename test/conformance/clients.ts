import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { eventually } from "../support/eventually.js";
import { run } from "../support/programs.js";
import { needs } from "../support/requirements.js";
import { readAnswer } from "./answer.js";
import { type Case, Deviation, each, expectThat } from "./case.js";
import { expectHeaderLike, expectStatus, expectWhole, pattern, placeDigits } from "./fixture.js";
import type { Subject } from "./subject.js";
import { readToEnd, requestText } from "./wire.js";

const skipWithoutProc = process.platform === "linux" ? false : "this system does not list descriptors in /proc";
const LONG = pattern(8 * 1024 * 1024);

/** Clients that leave, and a process without descriptors. */
export const clientCases: Case[] = [
  ...each(
    "clients that leave",
    [
      ["in the middle of a file", "GET", true],
      ["before the answer", "GET", false],
      ["before the answer to HEAD", "HEAD", false],
    ],
    ([when]) => `holds no descriptor after 100 clients left ${when}`,
    async (subject, [, method, reads]) => {
      const { url } = await subject.place({ content: LONG });
      expectStatus(await subject.ask(url, { method: "HEAD" }), 200);
      const before = descriptorsOf(subject).length;
      for (let n = 0; n < 100; n++) {
        const socket = await subject.connect();
        socket.write(requestText(url, { method }));
        if (reads) await once(socket, "readable");
        socket.destroy();
      }
      await eventually(async () => {
        const after = descriptorsOf(subject).length;
        expectThat(after <= before, "descriptors kept", `${after} descriptors are open, before there were ${before}.`);
      });
      expectWhole(await subject.ask(url), LONG);
    },
    { skip: skipWithoutProc },
  ),
  {
    topic: "no free descriptor",
    title: "answers 503 with Retry-After when there is no descriptor left, and 200 when there is one again",
    skip: skipWithoutProc || needs("prlimit"),
    async check(subject) {
      // An earlier request may still hold a descriptor, which would be free soon.
      await subject.restart();
      const { url } = await placeDigits(subject);
      const socket = await subject.connect();
      // A connection takes a descriptor only when the server answers on it.
      socket.write(requestText(url, { method: "HEAD", last: false }));
      await once(socket, "readable");
      socket.read();
      await eventually(() => expectNoFileOpen(subject));
      const answer = await withoutDescriptors(subject, async () => {
        socket.write(requestText(url));
        return readAnswer(await readToEnd(socket))[0];
      });
      expectStatus(answer, 503);
      expectHeaderLike(answer, "Retry-After", /^\d+$/);
      expectWhole(await subject.ask(url));
    },
  },
];

async function expectNoFileOpen(subject: Subject): Promise<void> {
  const open = descriptorsOf(subject).map((descriptor) => readlinkSync(`/proc/${subject.pid}/fd/${descriptor}`));
  expectThat(!open.some((path) => path.startsWith(subject.root)), "file kept open");
}

async function withoutDescriptors<T>(subject: Subject, doing: () => Promise<T>): Promise<T> {
  const used = new Set(descriptorsOf(subject));
  let least = 0;
  while (used.has(String(least))) least++;
  await limit(subject, `${least}:`);
  try {
    return await doing();
  } finally {
    await limit(subject, "1024:");
  }
}

async function limit(subject: Subject, descriptors: string): Promise<void> {
  const { code, stderr } = await run("prlimit", "--pid", String(subject.pid), `--nofile=${descriptors}`);
  if (code !== 0) throw new Error(`prlimit: ${stderr}`);
}

function descriptorsOf(subject: Subject): string[] {
  try {
    return readdirSync(`/proc/${subject.pid}/fd`);
  } catch {
    throw new Deviation("process died", "The server's process is gone.");
  }
}
