import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { basename } from "node:path";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { CountedDownload, FileSubmission, User } from "../../../docs/examples/django/models.js";
import { it } from "../../support/suite.js";
import type { DjangoRow } from "./django.js";
import { Attachment, Profile } from "./models.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { assertServed, entityOf, isThere, rowOf, rowsOf } from "./rows.js";

/** Without the default that Django keeps in its model. */
@Entity("app_counteddownload")
class DefaultByDatabase {
  @PrimaryGeneratedColumn() id!: number;
  @Column() description!: string;
  @PrivateFileColumn({ length: 100 }) downloadable!: PrivateFile;
  @Column({ default: 0 }) downloads!: number;
}

describeOnRealSites("the rows and files of a site", (start, kind) => {
  it("are read by Django as it should be after a quarter was replaced, removed, and rolled back each", async (t) => {
    const site = await start(t);
    const before = site.rows.filter(({ value }) => value);
    const rows = [...rowsOf(site, "odd", "suffix", "counted", "missing", "none"), ...rowsOf(site, "plain").slice(-60)];
    const expected = new Map(site.rows.map((row) => [nameOf(row), row]));
    for (const [index, row] of rows.entries()) {
      if (index % 4 === 0) expected.set(nameOf(row), await replace(site, row, `replaced ${basename(row.value ?? "")}`));
      if (index % 4 === 1) expected.delete(await remove(site, row));
      if (index % 4 === 2) await replaceInVain(site, row);
    }
    const now = await site.readByDjango();
    assert.deepEqual(new Set(now.map(withoutLinks)), new Set([...expected.values()].map(withoutLinks)));
    const uploads = now.filter(({ value }) => value?.includes("/replaced_"));
    assert.ok(uploads.length > 20, String(uploads.length));
    await assertServed(site, uploads);
    for (const row of before) assert.equal(isThere(site, row), !row.missing, row.value!);
  });

  it("are new with ids of Django's sequences, and Django reads them", async (t) => {
    const site = await start(t);
    const { manager } = site.dataSource;
    const owner = await manager.findOneByOrFail(User, { username: "bob" });
    const entities = [
      manager.create(FileSubmission, { description: "by TypeORM", owner }),
      manager.create(CountedDownload, { description: "by TypeORM" }),
      manager.create(Attachment),
      manager.create(Profile),
    ];
    for (const [at, property] of ["uploadedFile", "downloadable", "file", "avatar"].entries()) {
      const filename = `${"日本 long ".repeat(20)}${at}.tar.gz`;
      await site.files.attach(entities[at]!, property as never, Buffer.from(`new ${at}`), { filename });
      await manager.save(entities[at]!);
    }
    const now = await site.readByDjango();
    for (const [at, entity] of entities.entries()) {
      const row = now.find(({ model, id }) => model === entity.constructor.name && id === String(entity.id));
      assert.equal(row?.sha256, hash("sha256", `new ${at}`), entity.constructor.name);
      assert.ok([...row!.value!].length <= 100, row!.value!);
    }
    assert.equal(now.length, site.rows.length + 4);
    assert.equal((await manager.findOneByOrFail(CountedDownload, { id: entities[1]!.id as number })).downloads, 0);
  });

  // For SQLite, TypeORM writes the default itself.
  if (kind === "PostgreSQL") {
    it("are refused without the values that Django has no default for in the database", async (t) => {
      const { dataSource, files } = await start(t, { entities: [DefaultByDatabase] });
      const counted = dataSource.manager.create(DefaultByDatabase, { description: "no default" });
      await files.attach(counted, "downloadable", Buffer.from("new"), { filename: "song.mp3" });
      await assert.rejects(dataSource.manager.save(counted), /NOT NULL|not-null/);
      await dataSource.manager.save(Object.assign(counted, { downloads: 0 }));
    });
  }

  it("stay as they are when COMMIT fails at Django's deferred foreign keys, and the upload can be saved again", async (t) => {
    const site = await start(t);
    const { manager } = site.dataSource;
    const row = rowOf(site, "plain");
    const [first] = await entityOf(site, await replace(site, row, "first.pdf"));
    const submission = first as unknown as FileSubmission;
    const owner = submission.owner;
    const { key } = submission.uploadedFile!;
    const second = await site.files.attach(submission, "uploadedFile", Buffer.from("second"), {
      filename: "second.pdf",
    });
    await assert.rejects(manager.save(Object.assign(submission, { owner: { id: 999 } })), /FOREIGN KEY|foreign key/);
    await assert.rejects(
      manager.remove(await manager.findOneByOrFail(User, { username: "bob" })),
      /FOREIGN KEY|foreign key/,
    );
    assert.ok(await site.storage.stat(key));
    assert.ok(await site.storage.stat(second.key));
    await manager.save(Object.assign(submission, { owner }));
    assert.equal(await site.storage.stat(key), undefined);
    const now = await site.readByDjango();
    assert.equal(now.find((one) => nameOf(one) === nameOf(row))!.sha256, hash("sha256", "second"));
    assert.equal(now.length, site.rows.length);
  });

  it("are removed with their owner by files.remove in one transaction: uploads are deleted, Django's files stay", async (t) => {
    const site = await start(t);
    const bobs = site.rows.filter(({ owner }) => owner === "bob");
    const rows = bobs.filter(({ value }) => value);
    const upload = await replace(site, rows[0]!, "ours.pdf");
    await site.dataSource.transaction(async (manager) => {
      assert.equal(await site.files.remove(FileSubmission, { owner: { id: 2 } }, { manager }), bobs.length);
      await manager.delete(User, 2);
    });
    assert.equal(isThere(site, upload), false);
    for (const row of rows) assert.equal(isThere(site, row), !row.missing, row.value!);
    const now = await site.readByDjango();
    assert.deepEqual(
      now,
      site.rows.filter(({ owner }) => owner !== "bob"),
    );
  });

  it("share a default file, which stays when the last of them has another or is removed", async (t) => {
    const site = await start(t);
    const shared = site.rows.filter(({ value }) => value === "defaults/avatar.png");
    assert.equal(shared.length, 21);
    await assertServed(site, shared);
    for (const row of shared.slice(1)) await remove(site, row);
    const replaced = await replace(site, shared[0]!, "my own.png");
    assert.ok(isThere(site, shared[0]!));
    const fresh = site.dataSource.manager.create(Profile);
    await site.files.adopt(fresh, "avatar", "defaults/avatar.png");
    await site.dataSource.manager.save(fresh);
    const now = await site.readByDjango();
    const adopted = now.find(({ model, id }) => model === "Profile" && id === String(fresh.id));
    assert.equal(adopted!.sha256, shared[0]!.sha256);
    assert.equal(now.find((row) => nameOf(row) === nameOf(replaced))!.sha256, replaced.sha256);
  });

  it("count downloads in Django's PositiveIntegerField, one for each of 20 at once", async (t) => {
    const site = await start(t);
    const counted = await site.dataSource.manager.findOneByOrFail(CountedDownload, { id: 20 });
    const url = site.files.url(counted, "downloadable");
    await Promise.all(Array.from({ length: 20 }, () => site.get(url, { as: "bob" })));
    const { downloads } = await site.dataSource.manager.findOneByOrFail(CountedDownload, { id: 20 });
    assert.equal(downloads, counted.downloads + 20);
  });
});

/** Gives a row another file, and says what Django must read there. */
async function replace(site: RealSite, row: DjangoRow, filename: string): Promise<DjangoRow> {
  const [entity, property] = await entityOf(site, row);
  const bytes = Buffer.from(`the new bytes of ${filename}`);
  const { key } = await site.files.attach(entity, property, bytes, { filename });
  await site.dataSource.manager.save(entity);
  const { missing: _, ...kept } = row;
  return { ...kept, value: key, size: bytes.length, sha256: hash("sha256", bytes) };
}

async function remove(site: RealSite, row: DjangoRow): Promise<string> {
  const [entity] = await entityOf(site, row);
  await site.dataSource.manager.remove(entity);
  return nameOf(row);
}

async function replaceInVain(site: RealSite, row: DjangoRow): Promise<void> {
  const [entity, property] = await entityOf(site, row);
  await site.files.attach(entity, property, Buffer.from("in vain"), { filename: "in vain.pdf" });
  const transaction = site.dataSource.transaction(async (manager) => {
    await manager.save(entity);
    await manager.remove(entity);
    throw new Error("changed my mind");
  });
  await assert.rejects(transaction, /changed my mind/);
}

function withoutLinks({ old_link: _, link_by_path: __, ...row }: DjangoRow): DjangoRow {
  return row;
}

function nameOf({ model, id }: DjangoRow): string {
  return `${model} ${id}`;
}
