import assert from "node:assert/strict";
import { describeOnEachDatabase, sharedDatabases, type TestDatabase } from "../support/databases.js";
import { after, before, it } from "../support/suite.js";
import { CrashSite } from "./crash-site.js";
import type { Operation } from "./crash-writer.js";

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

const allWell = { violations: [], violationsAfterSweep: [], orphans: [], incomplete: [] };

describeOnEachDatabase("A process that is killed", defineOn, sharedDatabases);

function defineOn(database: TestDatabase): void {
  let sites: CrashSite[];
  before(async () => {
    sites = await Promise.all(Array.from({ length: AT_ONCE }, () => CrashSite.open(database)));
  });
  after(() => Promise.all(sites.map((site) => site.close())));

  for (const operation of Object.keys(OUTCOMES) as Operation[]) {
    it(`has done its ${operation} or has not, at whatever step it was, and leaves at worst what a sweep removes`, async (t) => {
      const steps: string[] = JSON.parse(await sites[0]!.run(operation));
      const points = pointsAmong(steps).filter((point) => onDisk(database) || / [A-Z]+$/.test(steps[point]!));
      t.diagnostic(`${points.length} points among ${steps.length} steps`);
      const [unchanged, changed] = OUTCOMES[operation];
      const runs = sites.map(async (site) => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          const step = `${steps[point]}, step ${point}`;
          assert.equal(await site.run(operation, { stopAt: point }), steps[point]);
          const rows = point < steps.indexOf("after COMMIT") ? unchanged : changed;
          assert.deepEqual({ step, ...(await site.inspect()) }, { step, ...allWell, rows });
        }
      });
      // All come to their end: the next test needs the same sites.
      for (const run of await Promise.allSettled(runs)) if (run.status === "rejected") throw run.reason;
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
