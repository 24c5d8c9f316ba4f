import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { it } from "../support/suite.js";
import { SUBMISSIONS, UNNAMED } from "./django-site.js";
import { FileSubmission } from "./models.js";
import { describeOnDjangoSite, type RunningSite } from "./running-site.js";

describeOnDjangoSite("a file that Django wrote", (start) => {
  it("stays when save has put another in its place, which is gone when a third takes its place", async (t) => {
    const site = await start(t);
    const { dataSource, files, get, storage } = site;
    const submission = await site.submission(2);
    const { key } = await files.attach(submission, "uploadedFile", Buffer.from("new"), { filename: "new.pdf" });
    await dataSource.manager.save(submission);
    assert.deepEqual((await get(files.url(submission, "uploadedFile"), { as: "alice" })).body, Buffer.from("new"));
    await files.attach(submission, "uploadedFile", Buffer.from("newer"), { filename: "new.pdf" });
    assert.ok(await storage.stat(key), "before the row is saved");
    await dataSource.manager.save(submission);
    assert.equal(await storage.stat(key), undefined);
    assert.deepEqual(goneOf(site), []);
  });

  it("stays when remove has taken its row, until a sweep is told of its folder", async (t) => {
    const site = await start(t);
    await site.dataSource.manager.remove(await site.submission(3));
    assert.deepEqual(goneOf(site), []);
    await site.files.sweep({ olderThan: 0, dryRun: false });
    assert.deepEqual(goneOf(site), []);
    await site.files.sweep({ olderThan: 0, dryRun: false, prefixes: ["uploads/report"] });
    assert.deepEqual(goneOf(site), [3]);
  });

  it("is named by its row after a transaction that was rolled back", async (t) => {
    const site = await start(t);
    const { dataSource, files } = site;
    const submission = await site.submission(1);
    await files.attach(submission, "uploadedFile", Buffer.from("new"), { filename: "new.pdf" });
    const transaction = dataSource.transaction(async (manager) => {
      await manager.save(submission);
      await manager.remove(await manager.findOneByOrFail(FileSubmission, { id: 3 }));
      throw new Error("changed my mind");
    });
    await assert.rejects(transaction, /changed my mind/);
    assert.deepEqual(goneOf(site), []);
    assert.equal(await site.storedText(1), "uploads/report.pdf");
  });

  it("that two rows name is served to the second when the first is removed", async (t) => {
    const site = await start(t);
    const { dataSource, files, get } = site;
    const second = await site.submission(8);
    await dataSource.manager.remove(await site.submission(7));
    const answer = await get(files.url(second, "uploadedFile"), { as: "alice" });
    assert.deepEqual([answer.status, answer.body], [200, SUBMISSIONS[7]!.bytes]);
  });

  it("may be adopted by further rows", async (t) => {
    const site = await start(t);
    const { dataSource, files, get } = site;
    const { owner } = await site.submission(7);
    for (const description of ["first", "second"]) {
      const submission = dataSource.manager.create(FileSubmission, { description, owner });
      await files.adopt(submission, "uploadedFile", "uploads/shared.pdf");
      await dataSource.manager.save(submission);
      const answer = await get(files.url(submission, "uploadedFile"), { as: "alice" });
      assert.deepEqual([answer.status, answer.body], [200, SUBMISSIONS[7]!.bytes]);
    }
  });

  it("stays when its row is removed by SQL, which tells nobody", async (t) => {
    const site = await start(t);
    await site.dataSource.query(`DELETE FROM "app_filesubmission" WHERE "id" = 1`);
    assert.deepEqual(goneOf(site), []);
  });

  it("need not be there for its row to be removed, nor named at all", async (t) => {
    const site = await start(t);
    for (const id of [9, 10]) await site.dataSource.manager.remove(await site.submission(id));
    assert.equal(await site.dataSource.manager.count(FileSubmission), SUBMISSIONS.length - 2);
    assert.deepEqual(goneOf(site), []);
  });

  it("stays when all rows are removed", async (t) => {
    const site = await start(t);
    await site.dataSource.manager.remove(await site.dataSource.manager.find(FileSubmission));
    assert.deepEqual(goneOf(site), []);
    for (const key of [...UNNAMED, "downloadables/song.mp3"]) assert.ok(existsSync(join(site.mediaRoot, key)), key);
  });
});

/** The ids of the rows whose file Django wrote, and is no longer there. */
function goneOf(site: RunningSite): number[] {
  const ids = SUBMISSIONS.flatMap(({ bytes }, index) => (bytes ? [index + 1] : []));
  return ids.filter((id) => !isThere(site, id));
}

function isThere({ mediaRoot }: RunningSite, id: number): boolean {
  return existsSync(join(mediaRoot, SUBMISSIONS[id - 1]!.value));
}
