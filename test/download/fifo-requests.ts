import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { startApplication } from "../support/application.js";
import { run } from "../support/programs.js";

/*
 * A process of its own that asks 100 times for a FIFO, then for a file, says what came, and ends at once: with a thread of
 * the pool in an open() that waits, neither the file nor the end would come.
 */

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

const application = await startApplication({ entities: [Scan] });
const { dataSource, files, storage } = application;
assert.equal((await run("mkfifo", join(storage.root, "fifo"))).code, 0);
const fifo = await dataSource.manager.save(
  dataSource.manager.create(Scan, { file: adoptedFile(dataSource, Scan, "file", "fifo") }),
);
const normal = dataSource.manager.create(Scan, {});
await files.attach(normal, "file", Buffer.from("normal"), { filename: "normal.txt" });
await dataSource.manager.save(normal);

const url = files.url(normal, "file");
const asked = Array.from({ length: 100 }, () => application.get(files.url(fifo, "file")));
const body = String((await application.get(url)).body);
const statuses = [...new Set((await Promise.all(asked)).map(({ status }) => status))];
rmSync(dirname(storage.root), { recursive: true });
process.stdout.write(JSON.stringify({ statuses, body }), () => process.exit(0));
