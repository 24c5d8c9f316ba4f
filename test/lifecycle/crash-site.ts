import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Archive, openArchive } from "../support/archive.js";
import type { TestDatabase } from "../support/databases.js";
import { Parcel, putInto } from "../support/parcel.js";
import { leftoversIn, violationsIn } from "../support/parcel-check.js";
import { run } from "../support/programs.js";
import { deleteAll } from "../support/typeorm.js";
import type { CrashOrder, Operation } from "./crash-writer.js";

const WRITER = fileURLToPath(new URL("./crash-writer.js", import.meta.url));

/** A database and a storage that a process is let loose on. */
export class CrashSite {
  private constructor(private readonly archive: Archive) {}

  static async open(database: TestDatabase): Promise<CrashSite> {
    const archive = await openArchive(database, { entities: [Parcel] });
    archive.dataSource.setOptions({ synchronize: false });
    return new CrashSite(archive);
  }

  /** The storage's folder. */
  get root(): string {
    return this.archive.storage.root;
  }

  close(): Promise<void> {
    return this.archive.close();
  }

  /**
   * Runs an operation in a process of its own, on nothing but what it needs and another parcel, while nobody else has the
   * database open. Returns what it wrote.
   *
   * @param through a command that runs the process, and its arguments.
   */
  async run(operation: Operation, more: Partial<CrashOrder> = {}, ...through: string[]): Promise<string> {
    const { dataSource, storage } = this.archive;
    await this.#prepare(operation);
    const order: CrashOrder = { options: dataSource.options, root: storage.root, operation, ...more };
    await dataSource.destroy();
    const [command, ...rest] = [...through, process.execPath, WRITER, JSON.stringify(order)];
    const { stdout, stderr } = await run(command!, ...rest);
    await dataSource.initialize();
    assert.equal(stderr, "");
    return stdout;
  }

  /** Looks at everything before a sweep and after it: what is wrong, what a sweep left, and what files the rows have. */
  async inspect() {
    const violations = await violationsIn(this.archive);
    await this.archive.files.sweep({ olderThan: 0, dryRun: false });
    // A sweep leaves what was written within an hour to uploads that are under way.
    await this.archive.storage.removeIncomplete(new Date(Date.now() + 1000));
    const violationsAfterSweep = await violationsIn(this.archive);
    return { violations, violationsAfterSweep, ...(await leftoversIn(this.archive)), rows: await this.#notes() };
  }

  async #save(part: "letter" | "goods", note: string): Promise<void> {
    const parcel = this.archive.dataSource.manager.create(Parcel, { label: note });
    await putInto(parcel, part, note, Buffer.from(`the ${note} ${part}`), this.archive.files);
    await this.archive.dataSource.manager.save(parcel);
  }

  async #notes(): Promise<string[]> {
    const parcels = await this.archive.dataSource.manager.find(Parcel);
    return parcels.map(({ letterSeal, goodsSeal }) => (letterSeal ?? goodsSeal)!.split("-")[0]!).sort();
  }

  async #prepare(operation: Operation): Promise<void> {
    await deleteAll(this.archive.dataSource.manager, Parcel);
    for (const name of await readdir(this.root)) await rm(join(this.root, name), { recursive: true });
    await this.#save("goods", "other");
    if (operation !== "insert") await this.#save("letter", "old");
  }
}
