import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Archive, openArchive } from "../support/archive.js";
import { describeOnEachDatabase, sharedDatabases, type TestDatabase } from "../support/databases.js";
import { Parcel, putInto } from "../support/parcel.js";
import { leftoversIn, violationsIn } from "../support/parcel-check.js";
import { run } from "../support/programs.js";
import type { CrashOrder, Operation } from "./crash-writer.js";

const WRITER = fileURLToPath(new URL("./crash-writer.js", import.meta.url));
/** A process takes half a second of the processor to start. */
const AT_ONCE = 2;

/** What only reads leaves nothing new for a crash to find. */
const CHANGE = /^before (?!open|close|stat|lstat|realpath|SELECT)|^after COMMIT/;

/** What the letters and goods of all rows are, before and after. */
const OUTCOMES: Record<Operation, [string[], string[]]> = {
  insert: [["other"], ["new", "other"]],
  replace: [
    ["old", "other"],
    ["new", "other"],
  ],
  remove: [["old", "other"], ["other"]],
};

describeOnEachDatabase("A process that is killed", defineOn, sharedDatabases);

function defineOn(database: TestDatabase): void {
  let sites: CrashSite[];
  before(async () => {
    sites = await Promise.all(Array.from({ length: AT_ONCE }, () => CrashSite.open(database)));
  });
  after(() => Promise.all(sites.map((site) => site.close())));

  for (const operation of Object.keys(OUTCOMES) as Operation[]) {
    it(`has done its ${operation} or not begun it, at whatever step it was, and leaves at worst what a sweep removes`, async (t) => {
      const steps: string[] = JSON.parse(await sites[0]!.run(operation));
      const points = pointsAmong(steps).filter((point) => onDisk(database) || / [A-Z]+$/.test(steps[point]!));
      t.diagnostic(`${points.length} points among ${steps.length} steps`);
      const [unchanged, changed] = OUTCOMES[operation];
      await Promise.all(
        sites.map(async (site) => {
          for (let point = points.shift(); point !== undefined; point = points.shift()) {
            assert.equal(await site.run(operation, point), steps[point]);
            const expected = point < steps.indexOf("after COMMIT") ? unchanged : changed;
            assert.deepEqual(await site.inspect(), expected, `${steps[point]}, step ${point}`);
          }
        }),
      );
    });
  }

  it("had synced the bytes before they got a key, and the key before the row, and removes the old file after the commit", async () => {
    const steps: string[] = JSON.parse(await sites[0]!.run("replace"));
    assertInOrder(steps, [
      "after writev .incomplete/*",
      "after datasync .incomplete/*",
      "before link letters/*/new-1200000-*.bin",
      "after link letters/*/new-1200000-*.bin",
      "before sync letters/*",
      "after sync letters/*",
      "before UPDATE",
      "before COMMIT",
      "after COMMIT",
      "before unlink letters/*/old-14-*.bin",
    ]);
  });
}

/** A database and a storage that a process is let loose on. */
class CrashSite {
  private constructor(private readonly archive: Archive) {}

  static async open(database: TestDatabase): Promise<CrashSite> {
    const archive = await openArchive(database, { entities: [Parcel] });
    archive.dataSource.setOptions({ synchronize: false });
    return new CrashSite(archive);
  }

  close(): Promise<void> {
    return this.archive.close();
  }

  /** Runs an operation in a process of its own, on nothing but what it needs and another parcel, with no one else there. */
  async run(operation: Operation, stopAt?: number): Promise<string> {
    const { dataSource, storage } = this.archive;
    await this.#empty();
    await this.#save("goods", "other");
    if (operation !== "insert") await this.#save("letter", "old");
    const options = dataSource.options;
    await dataSource.destroy();
    const order: CrashOrder = { options, root: storage.root, operation, stopAt };
    const { stdout, stderr } = await run(process.execPath, WRITER, JSON.stringify(order));
    await dataSource.initialize();
    assert.equal(stderr, "");
    return stdout;
  }

  /** Looks at everything before a sweep and after it. Returns what the rows have. */
  async inspect(): Promise<string[]> {
    assert.deepEqual(await violationsIn(this.archive), []);
    const notes = await this.#notes();
    await this.archive.files.sweep({ olderThan: 0, dryRun: false });
    await this.archive.storage.removeIncomplete(new Date(Date.now() + 1000));
    assert.deepEqual(await violationsIn(this.archive), []);
    assert.deepEqual(await leftoversIn(this.archive), { orphans: [], incomplete: [] });
    assert.deepEqual(await this.#notes(), notes);
    return notes;
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

  async #empty(): Promise<void> {
    await this.archive.dataSource.manager.deleteAll(Parcel);
    const { root } = this.archive.storage;
    for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
  }
}

/** Before each step that changes anything, after the commit, and at the end. */
function pointsAmong(steps: string[]): number[] {
  return [...steps.keys()].filter((step) => CHANGE.test(steps[step]!) || step === steps.length - 1);
}

/** What happens to files is the same whatever the database is. */
function onDisk({ name }: TestDatabase): boolean {
  return name === "better-sqlite3";
}

/** All steps of one name come before all of the next. */
function assertInOrder(steps: string[], wanted: string[]): void {
  for (const [index, name] of wanted.entries()) {
    assert.ok(steps.includes(name), `${name} is not among ${steps.join(", ")}`);
    const next = wanted[index + 1];
    if (next) assert.ok(steps.lastIndexOf(name) < steps.indexOf(next), `${name} is not before ${next}`);
  }
}
