import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { tableOf } from "../support/markdown.js";
import { messageOf, startNode } from "./child-process.js";
import { duration, mebibytes, number } from "./format.js";
import { peakBytes, resetPeak, residentBytes } from "./processes.js";
import { type RunLength, rotated } from "./rounds.js";
import { median } from "./statistics.js";

/** How a request's body gets to the disk. The first is what the others are compared with. */
const RECEIVERS = [
  "pipe",
  "attach",
  "attach with type and digest",
  "receive",
  "receive with type and digest",
  "@koa/multer and attach",
  "koa-body and attach",
] as const;
/** Those that take the file raw. The others are sent a form. */
const RAW: readonly Receiver[] = ["pipe", "attach", "attach with type and digest"];

/** One of them. */
export type Receiver = (typeof RECEIVERS)[number];

/** What a receiving process says when it listens. */
export interface Listening {
  port: number;
}

const MiB = 2 ** 20;
const SIZES = [
  { label: "1 MiB", size: MiB, times: 50 },
  { label: "2 GiB", size: 2048 * MiB, times: 1 },
];
const FIRST_UPLOADS = 20;
const chunk = Buffer.alloc(64 * 1024, "private");

interface Site {
  receiver: Receiver;
  child: ChildProcess;
  port: number;
  /** The bytes that were resident before the first upload. */
  idle: number;
}

interface Upload {
  receiver: Receiver;
  size: number;
  cpu: number;
  time: number;
  extra: number;
}

/**
 * Measures requests whose file is kept safely on the disk: `attach(ctx.req)` and `receive` into a `DiskStorage`, the same by form parsers
 * that write temporary files, and beside them a pipe into a file that is synced once. Each receives in a process of its own; in a round each
 * takes its turn.
 */
export async function requestUploads(folder: string, { rounds, signal }: RunLength): Promise<string> {
  const sites: Site[] = [];
  const uploads: Upload[] = [];
  try {
    for (const receiver of RECEIVERS) sites.push(await startSite(folder, receiver));
    for (let round = 0; round < rounds; round++) {
      console.error(`Round ${round + 1} of ${rounds}`);
      for (const { size, times } of SIZES) {
        for (const site of rotated(sites, round)) {
          signal?.throwIfAborted();
          uploads.push(...(await measure(site, size, times)));
        }
      }
    }
  } finally {
    for (const { child } of sites) child.disconnect();
  }
  return tableOf(["an upload of", "by", "CPU s/GB", "ratio", "time", "ratio", "memory over idle"], rowsOf(uploads));
}

async function startSite(folder: string, receiver: Receiver): Promise<Site> {
  const own = await mkdtemp(join(folder, "receiver-"));
  const child = startNode(join(import.meta.dirname, "request-upload-process.js"), [own, receiver]);
  const { port } = await messageOf<Listening>(child);
  const site = { receiver, child, port, idle: residentBytes(child.pid!) };
  for (let first = 0; first < FIRST_UPLOADS; first++) await send(site, MiB);
  return site;
}

async function measure(site: Site, size: number, times: number): Promise<Upload[]> {
  const { receiver, idle } = site;
  const pid = site.child.pid!;
  const uploads: Upload[] = [];
  while (uploads.length < times) {
    resetPeak(pid);
    const { path, cpu, time } = await send(site, size);
    uploads.push({ receiver, size, cpu, time, extra: peakBytes(pid) - idle });
    await ask(site, "DELETE", path);
  }
  return uploads;
}

/** @returns the upload's path, and the seconds that receiving it took, as the process says. */
async function send({ port, receiver }: Site, size: number): Promise<{ path: string; cpu: number; time: number }> {
  const [before, behind] = RAW.includes(receiver) ? ["", ""] : [FORM_BEGIN, FORM_END];
  const headers = {
    "Content-Type": `multipart/form-data; boundary=${BOUNDARY}`,
    "Content-Length": size + before.length + behind.length,
  };
  const sent = request({ host: "127.0.0.1", port, method: "PUT", path: "/upload.bin", headers });
  const body = [Buffer.from(before), ...chunksOf(size), Buffer.from(behind)];
  Readable.from(
    body.filter(({ length }) => length > 0),
    { objectMode: false },
  ).pipe(sent);
  const [answer] = await once(sent, "response");
  const { location, "x-cpu": cpu, "x-time": time } = answer.headers;
  answer.resume();
  if (answer.statusCode !== 201) throw new Error(`Benchmark: an upload was answered ${answer.statusCode}.`);
  return { path: location, cpu: Number(cpu), time: Number(time) };
}

const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
const FORM_BEGIN = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="description"',
  "",
  "a text",
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="upload.bin"',
  "Content-Type: application/octet-stream",
  "",
  "",
].join("\r\n");
const FORM_END = `\r\n--${BOUNDARY}--\r\n`;

async function ask({ port }: Site, method: string, path: string): Promise<void> {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  if (!ok) throw new Error(`Benchmark: ${method} was answered ${status}.`);
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

function rowsOf(uploads: readonly Upload[]): string[][] {
  return SIZES.flatMap(({ label, size }) => {
    const medianOf = (receiver: Receiver, figure: "cpu" | "time") =>
      median(uploads.filter((one) => one.receiver === receiver && one.size === size).map((one) => one[figure]));
    return RECEIVERS.map((receiver) => {
      const extra = uploads.filter((one) => one.receiver === receiver && one.size === size).map((one) => one.extra);
      const [cpu, time] = [medianOf(receiver, "cpu"), medianOf(receiver, "time")];
      const ratios = [cpu / medianOf("pipe", "cpu"), time / medianOf("pipe", "time")].map(number);
      return [
        label,
        receiver,
        number(cpu / (size / 1e9)),
        ratios[0]!,
        duration(time),
        ratios[1]!,
        mebibytes(Math.max(...extra)),
      ];
    });
  });
}
