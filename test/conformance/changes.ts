import { once } from "node:events";
import { appendFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { readAnswer } from "./answer.js";
import { type Case, Deviation, each, expectThat } from "./case.js";
import { expectBytes, expectStatus, expectWhole, pattern, placeDigits } from "./fixture.js";
import type { Subject } from "./subject.js";
import { readToEnd, requestText } from "./wire.js";

/** More than the buffers of a connection take, so that the server is still reading while the client waits. */
const LONG = pattern(16 * 1024 * 1024);
const SHORTER = 12 * 1024 * 1024;
const FORGED = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHACKED";
const OLD = pattern(11, 1);
const NEW = pattern(200_000, 2);

/** What happens to files while they are served. */
export const changeCases: Case[] = [
  ...each(
    "a file that disappears before it is opened, under middleware that awaits",
    [[{ "X-Await-Afterwards": "30" }]],
    () => "answers 200 or 404 while a file comes and goes, and lives, with middleware around it that awaits",
    expectWholeOrMissing,
  ),
  ...each(
    "a file that disappears before it is opened",
    [[{}]],
    () => "answers 200 or 404 while a file comes and goes, and lives",
    expectWholeOrMissing,
  ),
  ...each(
    "a file that grows while it is sent",
    [
      ["a file", 200, {}],
      ["a range", 206, { Range: "bytes=0-" }],
    ],
    ([what]) =>
      `sends exactly the promised bytes of ${what} that grows meanwhile: the next answer is what was asked for`,
    async (subject, [, status, headers]) => {
      const { url, path } = await subject.place({ content: LONG });
      const next = await placeDigits(subject);
      const socket = await subject.connect();
      socket.write(requestText(url, { headers, last: false }));
      await once(socket, "readable");
      await appendFile(path, FORGED);
      socket.write(requestText(next.url));
      const [answer, rest] = readAnswer(await readToEnd(socket), { more: true });
      expectStatus(answer, status);
      expectBytes(answer, LONG);
      expectThat(!rest.includes("HACKED"), "forged answer", "What the file gained is sent as an answer.");
      expectWhole(readAnswer(rest)[0]);
    },
  ),
  ...each(
    "a file that shrinks while it is sent",
    [
      ["a file", 200, {}],
      ["a range", 206, { Range: "bytes=0-" }],
    ],
    ([what]) => `cuts the connection when ${what} becomes shorter meanwhile, without another answer`,
    async (subject, [, status, headers]) => {
      const { url, path } = await subject.place({ content: LONG });
      const next = await placeDigits(subject);
      const socket = await subject.connect();
      socket.write(requestText(url, { headers, last: false }) + requestText(next.url));
      await once(socket, "readable");
      await truncate(path, SHORTER);
      const received = await readToEnd(socket);
      const came = received.subarray(9, 12).toString();
      expectThat(came === String(status), came, `The answer begins with ${came}, not with ${status}.`);
      const body = received.subarray(received.indexOf("\r\n\r\n") + 4);
      expectThat(!body.includes("HTTP/1.1"), "answers mixed up", "The next answer is sent as part of the file.");
      expectThat(body.length <= SHORTER, "bytes too many", "There are more bytes than the file has.");
    },
  ),
  {
    topic: "a file that is replaced all the time",
    title: "answers 512 requests with the old or the new file, whole, while it is replaced as fast as can be",
    check: expectWholeWhileReplaced,
  },
  {
    topic: "a file that is deleted while it is sent",
    title: "sends all of a file that is deleted meanwhile",
    async check(subject) {
      const { url, path } = await subject.place({ content: LONG });
      const socket = await subject.connect();
      socket.write(requestText(url));
      await once(socket, "readable");
      await rm(path);
      expectWhole(readAnswer(await readToEnd(socket))[0], LONG);
    },
  },
];

/** Goes on when an answer is wrong: which one is the first is chance. */
async function expectWholeOrMissing(subject: Subject, [headers]: readonly [Record<string, string>]): Promise<void> {
  const { url, path } = await subject.place({ content: OLD });
  const wrong = new Map<string, Deviation>();
  const ask = async () => {
    try {
      const answer = await subject.ask(url, { headers });
      expectStatus(answer, 200, 404);
      if (answer.status === 200) expectWhole(answer, OLD);
    } catch (error) {
      if (!(error instanceof Deviation)) throw error;
      wrong.set(error.came, error);
    }
  };
  await whileRepeating(
    () => rename(path, `${path}.gone`).then(() => rename(`${path}.gone`, path)),
    () => times(320, ask),
  );
  if (wrong.has("process died")) throw wrong.get("process died");
  if (wrong.size > 0) throw new Deviation([...wrong.keys()].sort().join("; "), [...wrong.values()].join("\n"));
  expectWhole(await subject.ask(url), OLD);
}

async function expectWholeWhileReplaced(subject: Subject): Promise<void> {
  const { url, path } = await subject.place({ content: OLD });
  let count = 0;
  const replace = async () => {
    await writeFile(`${path}.new`, count++ % 2 === 0 ? NEW : OLD);
    await rename(`${path}.new`, path);
  };
  const ask = async () => {
    const answer = await subject.ask(url);
    expectWhole(answer, answer.body.length > OLD.length ? NEW : OLD);
  };
  try {
    await whileRepeating(replace, () => times(512, ask));
  } catch (error) {
    // Whether bytes are missing first or too many is chance.
    throw error instanceof Deviation ? new Deviation("wrong bytes", error.message) : error;
  }
}

/** Does something many times, eight at once. */
async function times(count: number, doing: () => Promise<void>): Promise<void> {
  const repeat = async () => {
    for (let left = count / 8; left > 0; left--) await doing();
  };
  await Promise.all(Array.from({ length: 8 }, repeat));
}

async function whileRepeating(change: () => Promise<void>, doing: () => Promise<void>): Promise<void> {
  let over = false;
  const changing = (async () => {
    while (!over) await change();
  })();
  try {
    await doing();
  } finally {
    over = true;
    await changing;
  }
}
