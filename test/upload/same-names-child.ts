// Uploads one name many times at once, saves a row for each, and prints what became of them. Arguments: the storage's folder, a
// text that tells this process from others, and how many.

import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { sqljs } from "../support/databases.js";
import { Report } from "../support/report.js";

const [folder, name, count] = process.argv.slice(2) as [string, string, string];
const { dataSource } = await sqljs.open({ entities: [Report] });
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(folder) });
const contents = Array.from({ length: Number(count) }, (_, n) => `${name} ${n}`);
const keys = await Promise.all(
  contents.map(async (content) => {
    const report = dataSource.manager.create(Report, {});
    await files.attach(report, "file", Buffer.from(content), { filename: "report.pdf" });
    return (await dataSource.manager.save(report)).file.key;
  }),
);
console.log(JSON.stringify(keys.map((key, n) => [key, contents[n]])));
