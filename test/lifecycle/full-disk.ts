// What a replacement does on a disk of 2 MB. The argument is the folder where that is mounted, which only this process sees.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { sqljs } from "../support/databases.js";
import { Report } from "../support/report.js";
import { generated } from "../support/storage-disk.js";

const { dataSource } = await sqljs.open({ entities: [Report] });
const storage = new DiskStorage(join(process.argv[2]!, "files"));
const files = new PrivateFiles(dataSource, { storage });
const report = dataSource.manager.create(Report, {});
await files.attach(report, "file", Buffer.from("old"));
await dataSource.manager.save(report);

const full = await files.attach(report, "file", generated(3_000_000)).catch(({ name, cause }) => [name, cause.code]);
const afterwards = await state();
await files.attach(report, "file", Buffer.from("new"));
await dataSource.manager.save(report);
console.log(JSON.stringify({ full, afterwards, withSpace: await state() }));

async function state() {
  const row = await dataSource.manager.findOneByOrFail(Report, { id: report.id });
  const keys = await readdir(join(storage.root, "reports"));
  const incomplete = await readdir(join(storage.root, ".incomplete"));
  return { content: await text(await files.open(row, "file")), keys: keys.length, incomplete: incomplete.length };
}
