import assert from "node:assert/strict";
import { it } from "../support/suite.js";
import { UNNAMED } from "./django-site.js";
import { FileSubmission } from "./models.js";
import { describeOnDjangoSite, type RunningSite } from "./running-site.js";

/** Ends the grace period at once, and removes what is found. */
const AT_ONCE = { olderThan: 0, dryRun: false };

describeOnDjangoSite("a sweep of Django's folder", (start) => {
  it("leaves what Django wrote to Django, and removes only what attach left without a row", async (t) => {
    const site = await start(t);
    const ours = await withoutRow(site);
    const before = await keysOf(site);
    const { orphans, removed, missing, foreign } = await site.files.sweep(AT_ONCE);
    assert.deepEqual({ orphans, removed, missing, foreign }, { orphans: 1, removed: 1, missing: 1, foreign: 2 });
    assert.deepEqual(
      await keysOf(site),
      before.filter((key) => key !== ours),
    );
  });

  it("removes below its prefixes what no row names, be it Django's, and nothing beside them", async (t) => {
    const site = await start(t);
    const ours = await withoutRow(site);
    const before = await keysOf(site);
    const { orphans, removed, missing, foreign } = await site.files.sweep({ ...AT_ONCE, prefixes: ["uploads/"] });
    assert.deepEqual({ orphans, removed, missing, foreign }, { orphans: 2, removed: 2, missing: 1, foreign: 1 });
    assert.deepEqual(
      await keysOf(site),
      before.filter((key) => key !== ours && key !== "uploads/replaced.pdf"),
    );
    assert.ok(before.includes(UNNAMED[0]!) && before.includes(UNNAMED[1]!));
  });

  it("only tells what it would remove in a dry run", async (t) => {
    const site = await start(t);
    await withoutRow(site);
    const before = await keysOf(site);
    const report = await site.files.sweep({ olderThan: 0, dryRun: true, prefixes: ["uploads/"] });
    assert.deepEqual([report.orphans, report.removed], [2, 0]);
    assert.deepEqual(await keysOf(site), before);
  });

  it("finds the file of a row that SQL removed", async (t) => {
    const site = await start(t);
    await site.dataSource.query(`DELETE FROM "app_filesubmission" WHERE "id" IN (1, 7)`);
    const report = await site.files.sweep({ ...AT_ONCE, prefixes: ["uploads/report", "uploads/shared"] });
    assert.deepEqual([report.orphans, report.removed], [1, 1]);
    const left = await keysOf(site);
    assert.equal(left.includes("uploads/report.pdf"), false);
    assert.ok(left.includes("uploads/shared.pdf") && left.includes("uploads/report_x7Kq2Zb.pdf"));
  });
});

/** Attaches a file whose row is never saved, as a crash leaves it, and says its key. */
async function withoutRow({ files }: RunningSite): Promise<string> {
  return (await files.attach(new FileSubmission(), "uploadedFile", Buffer.from("x"), { filename: "x.pdf" })).key;
}

async function keysOf({ storage }: RunningSite): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys.sort();
}
