import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { collectGarbage } from "../support/garbage.js";
import { beforeEach, it } from "../support/suite.js";
import { keyIn } from "../support/sweep-fixture.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Scan>({ uploadTo: "scans", nullable: true, length: 100, fields: { name: "title" } })
  file!: PrivateFile | null;
  @Column({ type: String, length: 40, nullable: true }) title!: string | null;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) other!: PrivateFile | null;
}

describeOnEachDatabase("PrivateFiles.adopt", (database) => {
  const archive = archiveOfSuite(database, { entities: [Scan] }, [Scan]);
  const foreign = "imports/2019/4711.pdf";
  const OTHER_ROW = { name: "PrivateFileError", code: "ERR_PRIVATE_FILE_OTHER_ROW" };
  let ours: string;

  beforeEach(async () => {
    ours = keyIn("scans");
    for (const key of [foreign, ours]) await archive.storage.put(key, Readable.from([Buffer.from(key)]));
  });

  const adopt = (scan: Scan, key: unknown) => archive.files.adopt(scan, "file", key as string);
  const save = (scan: Scan) => archive.dataSource.manager.save(scan);
  const keyOf = async ({ id }: Scan) => (await archive.dataSource.manager.findOneByOrFail(Scan, { id })).file?.key;

  it("puts an object that is in the storage into an entity, without the name of the file before", async () => {
    const scan = Object.assign(new Scan(), { title: "old name.pdf" });
    const file = await adopt(scan, foreign);
    assert.deepEqual([scan.file, scan.title, file.key, file.name], [file, null, foreign, "4711.pdf"]);
    await save(scan);
    assert.equal(await keyOf(scan), foreign);
  });

  it("refuses an object that the storage does not have, and leaves the entity as it was", async () => {
    const scan = new Scan();
    await assert.rejects(adopt(scan, "imports/none.pdf"), {
      name: "PrivateFileError",
      code: "ERR_PRIVATE_FILE_MISSING",
      message: 'Scan.file: the storage has no object "imports/none.pdf". Put it there before you adopt it.',
    });
    assert.equal(scan.file, undefined);
  });

  it("takes over an upload of this process, which its first entity can neither save nor delete any more", async () => {
    const { manager } = archive.dataSource;
    const one = new Scan();
    const { key } = await archive.files.attach(one, "file", Buffer.from("a"));
    await assert.rejects(manager.transaction(async (inner) => inner.save(one).then(() => inner.query("wrong"))));
    const two = new Scan();
    await adopt(two, key);
    await archive.expire();
    await archive.files.attach(one, "other", Buffer.from("b"));
    await assert.rejects(save(one), OTHER_ROW);
    await archive.files.attach(one, "file", Buffer.from("c"));
    await save(two);
    assert.equal(await keyOf(two), key);
    assert.ok(await archive.storage.stat(key));
  });

  it("refuses a text that is no key, or that the column can't hold", async () => {
    for (const key of ["../x", "", "/etc/passwd", 5, null, { key: foreign }, `imports/${"x".repeat(100)}`]) {
      await assert.rejects(adopt(new Scan(), key), { name: "InvalidKeyError", code: "ERR_PRIVATE_FILE_KEY" });
    }
  });

  it("lets many rows name an object that another program wrote, which outlives them", async () => {
    const scans = [new Scan(), new Scan(), new Scan()];
    for (const scan of scans) await save(Object.assign(scan, { file: await adopt(scan, foreign) }));
    assert.deepEqual(await Promise.all(scans.map(keyOf)), [foreign, foreign, foreign]);
    await archive.files.attach(scans[0]!, "file", Buffer.from("x"));
    await save(scans[0]!);
    await archive.dataSource.manager.remove(scans.slice(1));
    assert.ok(await archive.storage.stat(foreign));
  });

  it("refuses an object of ours that a row names, in any column", async () => {
    for (const property of ["file", "other"] as const) {
      const scan = new Scan();
      const { key } = await archive.files.attach(scan, property, Buffer.from("x"));
      await save(scan);
      await assert.rejects(adopt(new Scan(), key), {
        ...OTHER_ROW,
        message: /^Scan\.file: a row has this file already\. Use files\.copy\(from, property, to, property\)\.$/,
      });
    }
  });

  it("refuses an object of ours in another Unicode form than that of its key, by which a file system may find it", async (t) => {
    const scan = new Scan();
    const { key } = await archive.files.attach(scan, "file", Buffer.from("x"), { filename: "Übung.pdf" });
    await save(scan);
    const stat = archive.storage.stat.bind(archive.storage);
    t.mock.method(archive.storage, "stat", (name: string) => stat(name.normalize()));
    await assert.rejects(adopt(new Scan(), key.normalize("NFD")), { code: "ERR_PRIVATE_FILE_MISSING" });
  });

  it("takes an object of ours that no row names, for one row, with which it goes", async () => {
    const [scan, other] = [new Scan(), new Scan()];
    await adopt(scan, ours);
    await adopt(other, ours);
    await save(scan);
    await assert.rejects(save(other), OTHER_ROW);
    assert.equal(await keyOf(scan), ours);
    await archive.dataSource.manager.remove(scan);
    assert.deepEqual(await archive.keys(), [foreign]);
  });

  it("takes an object of ours again that was adopted for an entity which nothing refers to", async () => {
    await adopt(new Scan(), ours);
    const scan = new Scan();
    await adopt(scan, ours);
    for (let round = 0; round < 5; round++) {
      collectGarbage();
      await setImmediate();
    }
    await save(scan);
    assert.equal(await keyOf(scan), ours);
  });

  it("keeps an object that no row gets, whether another takes its place or it is detached", async () => {
    const scan = new Scan();
    for (const key of [ours, foreign]) {
      await adopt(scan, key);
      const { key: attached } = await archive.files.attach(scan, "file", Buffer.from("x"));
      await adopt(scan, key);
      assert.equal(await archive.storage.stat(attached), undefined, "an upload that was not saved");
      archive.files.detach(scan, "file");
      await eventually(async () => assert.deepEqual(await archive.keys(), [foreign, ours].sort()));
    }
  });
});
