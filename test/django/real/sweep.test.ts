import assert from "node:assert/strict";
import { chmod, mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SweepItem } from "typeorm-private-files";
import { FileSubmission } from "../../../docs/examples/django/models.js";
import { it } from "../../support/suite.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { entityOf, isThere, rowsOf } from "./rows.js";

const AT_ONCE = { olderThan: 0, dryRun: false };

/** All folders with private files in them. */
const ALL = { prefixes: ["uploads/", "downloadables/", "avatars/", "defaults/"] };

describeOnRealSites("the folder of a site", (start) => {
  it("loses nothing of Django's in a sweep without prefixes, and what attach left without a row", async (t) => {
    const site = await start(t);
    const unnamed = await put(site, "uploads/unnamed.pdf");
    await site.files.attach(new FileSubmission(), "uploadedFile", Buffer.from("x"), { filename: "x.pdf" });
    const before = await filesOf(site);
    const { orphans, removed } = await site.files.sweep(AT_ONCE);
    assert.deepEqual([orphans, removed], [1, 1]);
    assert.deepEqual(
      await filesOf(site),
      before.filter((path) => !path.endsWith("/x.pdf")),
    );
    assert.ok(before.includes(unnamed));
    assert.deepEqual(await site.readByDjango(), site.rows);
  });

  it("is told apart by a dry run with prefixes, and loses exactly those files in the run after it", async (t) => {
    const site = await start(t);
    await put(site, "uploads/unnamed.pdf");
    await put(site, "uploads/2019/01/ünnamed.pdf");
    await put(site, "covers/beside.png");
    const [first] = rowsOf(site, "odd");
    const [entity] = await entityOf(site, first!);
    await site.dataSource.manager.remove(entity);
    const before = await filesOf(site);
    const items: SweepItem[] = [];
    const shown = await site.files.sweep({ olderThan: 0, ...ALL, onItem: (item) => void items.push(item) });
    assert.equal(shown.removed, 0);
    assert.deepEqual(await filesOf(site), before);
    const orphans = items.flatMap((item) => (item.kind === "orphan" ? [item.key] : []));
    for (const key of ["uploads/unnamed.pdf", "uploads/2019/01/ünnamed.pdf", first!.value!]) {
      assert.ok(orphans.includes(key), key);
    }
    assert.equal(orphans.includes("covers/beside.png"), false);
    await site.files.sweep({ ...AT_ONCE, ...ALL });
    assert.deepEqual(
      await filesOf(site),
      before.filter((path) => !orphans.includes(path)),
    );
    for (const row of rowsOf(site, "odd", "plain", "suffix", "counted").slice(1)) {
      if (row.size !== undefined) assert.ok(isThere(site, row), row.value!);
    }
  });

  it("keeps in a sweep with prefixes the file that a row names with an empty segment or dots, or absolutely", async (t) => {
    const site = await start(t);
    const rows = rowsOf(site, "spelling");
    const last = rows.find(({ value }) => value === "uploads/shared.pdf")!;
    await site.dataSource.manager.remove((await entityOf(site, last))[0]);
    await site.files.sweep({ ...AT_ONCE, ...ALL });
    for (const row of rows) assert.ok(isThere(site, row), row.value!);
  });

  it("keeps files whose names can't be keys, in a sweep with prefixes too", async (t) => {
    const site = await start(t);
    const rows = rowsOf(site, "unusual");
    await site.files.sweep({ ...AT_ONCE, ...ALL });
    for (const row of rows) assert.ok(isThere(site, row), row.value!);
  });

  it("keeps an old file that was copied there within the grace period, as by cp -p", async (t) => {
    const site = await start(t);
    const path = join(site.mediaRoot, await put(site, "uploads/restored.pdf"));
    await utimes(path, new Date("2019-01-02"), new Date("2019-01-02"));
    const { removed } = await site.files.sweep({ dryRun: false, ...ALL });
    assert.equal(removed, 0);
    assert.ok((await stat(path)).isFile());
  });

  it("keeps the folders that Django made, with their modes, when their last file is removed", async (t) => {
    const site = await start(t);
    const path = join(site.mediaRoot, await put(site, "uploads/2019/01/last.pdf"));
    await chmod(dirname(path), 0o2775);
    await site.files.sweep({ ...AT_ONCE, ...ALL });
    await assert.rejects(stat(path), { code: "ENOENT" });
    assert.equal((await stat(dirname(path))).mode & 0o7777, 0o2775);
  });

  it("loses to a sweep with prefixes the files that only a table unknown to TypeORM names, as the dry run tells", async (t) => {
    const site = await start(t);
    const archived = await put(site, "uploads/archived.pdf");
    await site.django.run("archive", { value: archived });
    const orphans: string[] = [];
    await site.files.sweep({
      olderThan: 0,
      ...ALL,
      onItem: (item) => void (item.kind === "orphan" && orphans.push(item.key)),
    });
    assert.ok(orphans.includes(archived));
    await site.files.sweep(AT_ONCE);
    assert.ok((await filesOf(site)).includes(archived));
    await site.files.sweep({ ...AT_ONCE, ...ALL });
    assert.equal((await filesOf(site)).includes(archived), false);
  });
});

/** Writes a file that no row names. */
async function put({ mediaRoot }: RealSite, key: string): Promise<string> {
  const path = join(mediaRoot, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, key);
  return key;
}

/** All files in MEDIA_ROOT, by their paths. */
async function filesOf({ mediaRoot }: RealSite): Promise<string[]> {
  const entries = await readdir(mediaRoot, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((path) => path.slice(mediaRoot.length + 1)).sort();
}
