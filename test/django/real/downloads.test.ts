import assert from "node:assert/strict";
import type { SweepItem } from "typeorm-private-files";
import { before, it } from "../../support/suite.js";
import { mediaOf } from "../django-site.js";
import { ClosedDownload, NumberedProfile } from "./models.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { assertServed, entityOf, rowOf, rowsOf, urlOf } from "./rows.js";

describeOnRealSites("the files of a site", (start) => {
  let site: RealSite;
  let asMade: string[];

  before(async () => {
    site = await start("all tests");
    asMade = await mediaOf(site);
  });

  it("go byte for byte to their owner, whatever their names, and to no stranger", async () => {
    const rows = rowsOf(site, "plain", "odd", "suffix", "counted").filter(({ size }) => size !== undefined);
    assert.ok(rows.length > 250, String(rows.length));
    await assertServed(site, rows);
  });

  it("go to their owner where the value has an empty segment or dots, or is an absolute path", async () => {
    const rows = rowsOf(site, "spelling");
    assert.equal(rows.length, 8);
    await assertServed(site, rows);
  });

  it("are 404 where they are missing, and the application is told which", async () => {
    const row = rowOf(site, "missing");
    const answer = await site.get(await urlOf(site, row), { as: row.owner! });
    assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
    assert.match(site.errors.map(String).join("\n"), /uploads\/missing 0\.pdf/);
  });

  it("are 404 where their names can't be keys: with a backslash, a control character, a drive, or in .incomplete", async () => {
    const rows = rowsOf(site, "unusual");
    assert.equal(rows.length, 4);
    for (const row of rows) {
      const answer = await site.get(await urlOf(site, row), { as: row.owner! });
      assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"], row.value!);
    }
  });

  it("are none where Django wrote an empty text or NULL", async () => {
    const none = site.rows.filter(({ value }) => !value);
    assert.deepEqual(
      none.map(({ model, value }) => [model, value]),
      [
        ["FileSubmission", ""],
        ["Attachment", ""],
        ["Attachment", null],
      ],
    );
    for (const row of none) {
      const [entity, property] = await entityOf(site, row);
      assert.equal(entity[property], null);
    }
  });

  it("are named by every sweep where they are missing", async () => {
    const named = await namedIn(site, "missing");
    const rows = rowsOf(site, "missing");
    assert.equal(rows.length, 5);
    for (const { value } of rows) assert.ok(named.includes(value!), value!);
    for (const { value } of rowsOf(site, "odd", "plain")) assert.equal(named.includes(value!), false, value!);
  });

  it("are not missing where the value has an empty segment or dots, or is an absolute path", async () => {
    const named = await namedIn(site, "missing");
    const rows = rowsOf(site, "spelling").filter(({ value }) => named.includes(value!));
    assert.deepEqual(rows, []);
  });

  it("are all as they were, with their sizes, modes and times, after so much reading", async () => {
    const entries = await mediaOf(site);
    assert.deepEqual(entries, asMade);
    assert.deepEqual(await site.readByDjango(), site.rows);
  });

  it("are invalid to a sweep and to check, not missing, where their names can't be keys", async () => {
    const values = rowsOf(site, "unusual").map(({ value }) => value!);
    assert.deepEqual((await namedIn(site, "invalid")).sort(), values.toSorted());
    const [problem] = (await site.files.check()).filter(({ code }) => code === "INVALID_KEYS");
    assert.equal(problem!.subject, "FileSubmission.uploadedFile");
    assert.match(problem!.message, /^4 rows/);
  });

  it("are in tables that check finds as the entities declare them, without an index", async () => {
    const problems = (await site.files.check()).filter(({ code }) => /^(TABLE|COLUMN)_/.test(code));
    // Names are cut to what fits into Django's 100 characters.
    const expected = ["COLUMN_SHORT", "COLUMN_WITHOUT_INDEX"];
    assert.deepEqual([...new Set(problems.map(({ code }) => code))].sort(), expected);
    assert.ok(problems.every(({ severity }) => severity === "warning"));
  });

  it("are found by a BigAutoField above 2^31, also where a transformer makes a number of it", async (t) => {
    const site = await start(t, { entities: [NumberedProfile] });
    const row = site.rows.find(({ id }) => id === "3000000000")!;
    const profile = await site.dataSource.manager.findOneByOrFail(NumberedProfile, { id: 3_000_000_000 });
    const answer = await site.get(site.files.url(profile, "avatar"), { as: "alice" });
    assert.deepEqual([answer.status, answer.body.length], [200, row.size]);
  });

  it("are refused to every user while the rule is closed, as for single_use, and stay", async (t) => {
    const site = await start(t, { entities: [ClosedDownload] });
    const closed = await site.dataSource.manager.findOneByOrFail(ClosedDownload, { id: 1 });
    const url = site.files.url(closed, "downloadable");
    for (const as of ["alice", undefined]) assert.equal((await site.get(url, { as })).status, 403);
    assert.ok(await site.files.stat(closed, "downloadable"));
  });
});

/** The values that a dry run names as missing, or as no keys. */
async function namedIn({ files }: RealSite, kind: SweepItem["kind"]): Promise<string[]> {
  const named: string[] = [];
  await files.sweep({ onItem: (item) => void (item.kind === kind && named.push(item.key)) });
  return named;
}
