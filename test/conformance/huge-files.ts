import { open, readFile } from "node:fs/promises";
import { type Case, each, expectThat } from "./case.js";
import { expectHeader, expectPart, expectStatus, expectWhole, placeDigits } from "./fixture.js";
import { type Subject, skipWithoutLargeFiles } from "./subject.js";
import type { Topic } from "./topics.js";

const TIB = 2 ** 40;
const MOST = Number.MAX_SAFE_INTEGER;

const skip = skipWithoutLargeFiles;

/** Files that take more than 32 bits, or more than a number holds. */
export const hugeFileCases: Case[] = [
  ...each(
    "a file of 1 TiB",
    [
      ["bytes=-4", TIB - 4, "END!"],
      ["bytes=4294967296-4294967299", 2 ** 32, "AT4G"],
      ["bytes=1099511627772-", TIB - 4, "END!"],
    ],
    ([range, start]) => `answers 206 with the bytes at ${start} of 1 TiB to ${range}, and reads less than 1 MiB`,
    async (subject, [range, start, content]) => {
      const url = await placeTebibyte(subject);
      const before = await bytesReadBy(subject);
      const answer = await subject.ask(url, { headers: { Range: range } });
      expectPart(answer, `${start}-${start + 3}/${TIB}`, content);
      const read = (await bytesReadBy(subject)) - before;
      expectThat(read < 2 ** 20, "reads too much", `It read ${read} bytes.`);
    },
    { skip },
  ),
  {
    topic: "a file of 1 TiB",
    title: "answers 416 to bytes=1099511627776- of 1 TiB",
    skip,
    async check(subject) {
      const answer = await subject.ask(await placeTebibyte(subject), { headers: { Range: "bytes=1099511627776-" } });
      expectStatus(answer, 416);
      expectHeader(answer, "Content-Range", `bytes */${TIB}`);
    },
  },
  {
    topic: "files of 2^53-1 and 2^53+3 bytes",
    title: "serves a file of 2^53-1 bytes exactly",
    skip,
    async check(subject) {
      const url = await placeHuge(subject, MOST, [[MOST - 4, "END!"]]);
      const head = await subject.ask(url, { method: "HEAD" });
      expectHeader(head, "Content-Length", String(MOST));
      const answer = await subject.ask(url, { headers: { Range: "bytes=-4" } });
      expectPart(answer, `${MOST - 4}-${MOST - 1}/${MOST}`, "END!");
    },
  },
  refusesMore("files of 2^53-1 and 2^53+3 bytes", "refuses a file of 2^53+3 bytes with 500, and lives on", {}),
  refusesMore("a range of more than 2^53 bytes", "refuses the last byte of 2^53+3 with 500, and lives on", {
    Range: "bytes=-1",
  }),
];

function refusesMore(topic: Topic, title: string, headers: Record<string, string>): Case {
  return {
    topic,
    title,
    skip,
    async check(subject) {
      const url = await placeHuge(subject, MOST, [[undefined, "END!"]]);
      expectStatus(await subject.ask(url, { headers }), 500);
      expectWhole(await subject.ask((await placeDigits(subject)).url));
    },
  };
}

/** How many bytes a server's process has read so far, from files and connections. */
async function bytesReadBy(subject: Subject): Promise<number> {
  const counters = await readFile(`/proc/${subject.pid}/io`, "utf8");
  return Number(/^rchar: (\d+)$/m.exec(counters)![1]);
}

function placeTebibyte(subject: Subject): Promise<string> {
  return placeHuge(subject, TIB, [
    [0, "HEAD"],
    [2 ** 32, "AT4G"],
    [TIB - 4, "END!"],
  ]);
}

/** Places a file that is a hole but for some marks; those without a place come after its end. */
async function placeHuge(subject: Subject, size: number, marks: [number | undefined, string][]): Promise<string> {
  const { url, path } = await subject.place({ content: "", large: true });
  const holes = await open(path, "r+");
  await holes.truncate(size);
  for (const [place, mark] of marks) if (place !== undefined) await holes.write(mark, place);
  await holes.close();
  const end = await open(path, "a");
  for (const [place, mark] of marks) if (place === undefined) await end.write(mark);
  await end.close();
  return url;
}
