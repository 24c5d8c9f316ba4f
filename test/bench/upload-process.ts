// Uploads, one after the other. Its arguments: its folder, the size of an upload in bytes, the number of uploads.
import { join } from "node:path";
import { Readable } from "node:stream";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { medianCost } from "./cost.js";
import { openDatabase } from "./databases.js";
import { Document, model } from "./document.js";
import { peakBytes, resetPeak, residentBytes } from "./processes.js";
import type { Uploads } from "./uploads.js";

const MiB = 2 ** 20;
const FIRST_UPLOADS = 20;
const chunk = Buffer.alloc(64 * 1024, "private");

const [folder, size, times] = process.argv.slice(2) as [string, string, string];
const { dataSource, close } = await openDatabase("SQLite", folder, model);
const storage = new DiskStorage(join(folder, "files"));
const files = new PrivateFiles(dataSource, { storage });
const idle = residentBytes(process.pid);
resetPeak(process.pid);
for (let first = 0; first < FIRST_UPLOADS; first++) await upload(MiB);
// In a virtual machine, memory that the page cache has not had for a while may cost more than the upload.
await upload(Number(size));
const cost = await medianCost(Number(times), () => upload(Number(size)));
await close();
process.send!({ ...cost, extra: peakBytes(process.pid) - idle } satisfies Uploads);
process.disconnect();

/** Uploads a file and deletes it. */
async function upload(bytes: number): Promise<void> {
  const document = dataSource.manager.create(Document, { title: "Upload", owner: "alice" });
  const source = Readable.from(chunksOf(bytes), { objectMode: false });
  const { key } = await files.attach(document, "file", source, { filename: "upload.bin" });
  await storage.delete(key);
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}
