// Uploads, one after the other. Its arguments: a folder for itself, their size in bytes, how many there are.
import { join } from "node:path";
import { Readable } from "node:stream";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Document, model } from "../document.js";
import { openDatabase } from "../open-database.js";
import { peakBytes, resetPeak, residentBytes } from "../processes.js";
import { median } from "../statistics.js";
import { type Cost, costOf } from "./cost.js";
import type { Uploads } from "./uploads.js";

const MiB = 2 ** 20;
const FIRST_UPLOADS = 20;
const chunk = Buffer.alloc(64 * 1024, "private");

const [folder, size, times] = process.argv.slice(2) as [string, string, string];
const { dataSource, close } = await openDatabase("better-sqlite3", folder, model);
const storage = new DiskStorage(join(folder, "files"));
const files = new PrivateFiles(dataSource, { storage });
const idle = residentBytes(process.pid);
resetPeak(process.pid);
for (let first = 0; first < FIRST_UPLOADS; first++) await upload(MiB);
const made: Cost[] = [];
// Memory that the page cache has not had for a while may cost more than the upload, above all in a virtual machine.
await upload(Number(size));
while (made.length < Number(times)) made.push(await upload(Number(size)));
await close();
process.send!({
  cpuPerGigabyte: median(made.map(({ cpu }) => cpu)) / (Number(size) / 1e9),
  seconds: median(made.map(({ seconds }) => seconds)),
  extra: peakBytes(process.pid) - idle,
} satisfies Uploads);
process.disconnect();

/** Makes one, and removes its file. */
async function upload(bytes: number): Promise<Cost> {
  const document = dataSource.manager.create(Document, { title: "Upload", owner: "alice" });
  const source = Readable.from(chunksOf(bytes), { objectMode: false });
  const { result, ...cost } = await costOf(() => files.attach(document, "file", source, { filename: "upload.bin" }));
  await storage.delete(result.key);
  return cost;
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}
