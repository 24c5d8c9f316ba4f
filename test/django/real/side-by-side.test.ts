import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { CountedDownload, FileSubmission } from "../../../docs/examples/django/models.js";
import { it } from "../../support/suite.js";
import type { DjangoRow } from "./django.js";
import { Attachment } from "./models.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { isThere, rowOf } from "./rows.js";

describeOnRealSites("a row of a site", (start, kind) => {
  it("names Django's old file again, which is still there, when Django saves a stale instance", async (t) => {
    const site = await start(t);
    const row = rowOf(site, "plain");
    await site.django.run("load", { model: row.model, id: row.id });
    const key = await replace(site, row, "new");
    await site.django.run("save", { model: row.model, id: row.id, set: { description: "stale" } });
    assert.deepEqual(await now(site, row), { ...row, kind: "stale" });
    assert.equal((await site.files.sweep({ olderThan: 0, dryRun: false })).removed, 1);
    assert.equal(await site.storage.stat(key), undefined);
  });

  it("names a file that is missing when Django saves an instance that is older than an upload's replacement", async (t) => {
    const site = await start(t);
    const row = rowOf(site, "plain");
    const key = await replace(site, row, "ours");
    await site.django.run("load", { model: row.model, id: row.id });
    await replace(site, row, "newer");
    await site.django.run("save", { model: row.model, id: row.id, set: { description: "stale" } });
    const { value, missing } = await now(site, row);
    assert.deepEqual([value, missing], [key, true]);
    const found: string[] = [];
    await site.files.sweep({ onItem: (item) => void (item.kind === "missing" && found.push(item.key)) });
    assert.ok(found.includes(key));
  });

  it("keeps the new file when Django saves a stale instance with update_fields", async (t) => {
    const site = await start(t);
    const row = rowOf(site, "plain");
    await site.django.run("load", { model: row.model, id: row.id });
    const key = await replace(site, row, "new");
    const save = { model: row.model, id: row.id, set: { description: "stale" }, update_fields: ["description"] };
    await site.django.run("save", save);
    const { kind, value, sha256 } = await now(site, row);
    assert.deepEqual([kind, value, sha256], ["stale", key, hash("sha256", "new")]);
  });

  it("loses an upload to a sweep without prefixes once Django has deleted it, or given it another file", async (t) => {
    const site = await start(t);
    const [deleted, replaced] = site.rows.filter((row) => row.model === "FileSubmission" && row.kind === "suffix");
    const keys = [await replace(site, deleted!, "deleted"), await replace(site, replaced!, "replaced")];
    await site.django.run("delete", { model: deleted!.model, id: deleted!.id });
    const upload = { id: replaced!.id, field: "uploaded_file", name: "by Django.pdf", text: "by Django" };
    await site.django.run("upload", { model: replaced!.model, ...upload });
    for (const key of keys) assert.ok(await site.storage.stat(key));
    assert.equal((await site.files.sweep({ olderThan: 0, dryRun: false })).removed, 2);
    for (const key of keys) assert.equal(await site.storage.stat(key), undefined);
    assert.equal((await now(site, replaced!)).sha256, hash("sha256", "by Django"));
  });

  it("has NULL after detach, and an empty text after Django has saved it; both are null in the entity", async (t) => {
    const site = await start(t);
    const row = site.rows.find(({ model, value }) => model === "Attachment" && value)!;
    const attachment = await site.dataSource.manager.findOneByOrFail(Attachment, { id: Number(row.id) });
    site.files.detach(attachment, "file");
    await site.dataSource.manager.save(attachment);
    assert.equal((await now(site, row)).value, null);
    await site.django.run("load", { model: "Attachment", id: row.id });
    await site.django.run("save", { model: "Attachment", id: row.id });
    assert.equal((await now(site, row)).value, "");
    assert.equal((await site.dataSource.manager.findOneByOrFail(Attachment, { id: attachment.id })).file, null);
    assert.ok(isThere(site, row));
  });

  it("may have shared its file with a table that TypeORM does not know, which keeps it", async (t) => {
    const site = await start(t);
    const row = rowOf(site, "suffix");
    await replace(site, row, "new");
    const archived = (await site.readByDjango()).find(
      ({ model, value }) => model === "Archived" && value === row.value,
    );
    assert.equal(archived!.sha256, row.sha256);
  });

  // On SQLite, no other connection writes while Django's transaction is open.
  if (kind === "PostgreSQL") {
    it("may have shared its file with a Django transaction that is still open when save replaces it", async (t) => {
      const site = await start(t);
      const row = rowOf(site, "plain");
      await site.django.run("begin");
      const id = await site.django.run<string>("archive", { value: row.value });
      await replace(site, row, "new");
      await site.django.run("commit");
      assert.equal((await now(site, { model: "Archived", id })).sha256, row.sha256);
    });

    it("waits in TypeORM for a lock that Django's select_for_update has", async (t) => {
      const { django, dataSource } = await start(t);
      const where = { id: 1 };
      const lock = { mode: "pessimistic_write", onLocked: "nowait" } as const;
      const locked = () => dataSource.transaction((manager) => manager.findOneOrFail(CountedDownload, { where, lock }));
      await django.run("begin");
      await django.run("lock", { model: "CountedDownload", ...where });
      await assert.rejects(locked(), /could not obtain lock/);
      await django.run("commit");
      assert.equal((await locked()).id, 1);
    });
  }
});

async function replace({ dataSource, files }: RealSite, { id }: DjangoRow, text: string): Promise<string> {
  const submission = await dataSource.manager.findOneByOrFail(FileSubmission, { id: Number(id) });
  const { key } = await files.attach(submission, "uploadedFile", Buffer.from(text), { filename: `${text}.pdf` });
  await dataSource.manager.save(submission);
  return key;
}

/** What Django reads in the row now. */
async function now({ django }: RealSite, { model, id }: Pick<DjangoRow, "model" | "id">): Promise<DjangoRow> {
  return django.run("read_row", { model, id });
}
