import assert from "node:assert/strict";
import { mkdir, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { DiskStorage, type ListedObject, PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { eventually } from "../support/eventually.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture, sweepAll } from "../support/sweep-fixture.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "uploads", nullable: true }) file!: PrivateFile | null;
}

/** Removes all that is found below a folder that other programs write to. */
const AT_ONCE = { olderThan: 0, dryRun: false, force: true, prefixes: ["uploads/"] };

/** A file system that gives names back decomposed, and finds them in either form: HFS+, and some network drives. */
class DecomposingStorage extends DiskStorage {
  override async *list(prefix: string): AsyncGenerator<ListedObject> {
    for await (const object of super.list(prefix)) yield { ...object, key: object.key.normalize("NFD") };
  }

  override path(key: string): string {
    return super.path(key.normalize("NFC"));
  }

  override identify(name: string): Promise<string | undefined> {
    return super.identify(name.normalize("NFC"));
  }
}

describe("An object that a row names in another way", () => {
  let fixture: SweepFixture;
  beforeEach(async () => {
    fixture = await openSweepFixture({ entities: [Scan] });
  });
  afterEach(() => fixture.close());

  const name = (value: string) => fixture.dataSource.query(`INSERT INTO scan (file) VALUES ('${value}')`);
  const put = (key: string) => fixture.storage.put(key, Readable.from([Buffer.from(key)]));

  const SPELLINGS: [string, (root: string) => string][] = [
    ["two slashes", () => "uploads//a.pdf"],
    ["a dot at its beginning", () => "./uploads/a.pdf"],
    ["a dot inside", () => "uploads/./a.pdf"],
    ["a way back", () => "uploads/old/../a.pdf"],
    ["its absolute path", (root) => join(root, "uploads/a.pdf")],
  ];
  for (const [how, spell] of SPELLINGS) {
    it(`is named by its row: with ${how}`, async () => {
      const { storage, files } = fixture;
      await put("uploads/a.pdf");
      await put("uploads/b.pdf");
      await name(spell(storage.root));
      const report = await files.sweep(AT_ONCE);
      assert.deepEqual([report.named, report.orphans, report.missing, report.invalid], [1, 1, 0, 0]);
      assert.deepEqual(await keysOf(storage), ["uploads/a.pdf"]);
    });
  }

  it("stays: through a linked folder, and through an absolute path with a link in it", async () => {
    const { storage, files, folder } = fixture;
    for (const key of ["uploads/2026/a.pdf", "uploads/2026/b.pdf", "uploads/2026/c.pdf"]) await put(key);
    await symlink(storage.path("uploads/2026"), join(storage.root, "current"));
    await symlink(storage.root, join(folder, "linked"));
    await name("current/a.pdf");
    await name(join(folder, "linked/uploads/2026/b.pdf"));
    const report = await files.sweep(AT_ONCE);
    assert.deepEqual([report.named, report.orphans], [2, 1]);
    assert.deepEqual(await keysOf(storage), ["uploads/2026/a.pdf", "uploads/2026/b.pdf"]);
  });

  it("stays: by another Unicode form than that of the file system", async () => {
    const { storage, files } = fixture;
    await put("uploads/Übung.pdf".normalize("NFD"));
    await put("uploads/Äpfel.pdf".normalize("NFC"));
    await name("uploads/Übung.pdf".normalize("NFC"));
    await name("uploads/Äpfel.pdf".normalize("NFD"));
    const report = await files.sweep(AT_ONCE);
    assert.deepEqual([report.orphans, report.missing], [0, 2]);
    assert.equal((await keysOf(storage)).length, 2);
  });

  it("stays, be it an upload, on a file system that lists other forms of names than it was given", async () => {
    const { dataSource, folder } = fixture;
    const storage = new DecomposingStorage(join(folder, "decomposing"));
    const files = new PrivateFiles(dataSource, { storage });
    const scan = new Scan();
    await files.attach(scan, "file", Buffer.from("x"), { filename: "Übung.pdf" });
    await dataSource.manager.save(scan);
    await files.attach(new Scan(), "file", Buffer.from("x"), { filename: "Übung.pdf" });
    const report = await files.sweep({ olderThan: 0, dryRun: false, force: true });
    assert.deepEqual([report.named, report.orphans, report.removed, report.missing], [1, 1, 1, 0]);
    assert.ok(await storage.stat(scan.file!.key));
  });

  it("stays, be it an upload that somebody has moved, and its row is reported", async () => {
    const { storage, files } = fixture;
    const key = await putOld(storage, keyIn("uploads"));
    const other = await putOld(storage, keyIn("uploads"));
    const archive = join(storage.root, "uploads/archive", key.split("/")[1]!);
    await mkdir(dirname(archive), { recursive: true });
    await rename(dirname(storage.path(key)), archive);
    await name(key);
    const { report, items } = await sweepAll(files, { dryRun: false, force: true });
    assert.deepEqual([report.named, report.removed, report.missing], [1, 1, 1]);
    assert.deepEqual(
      items.map((item) => item.key),
      [key, other],
    );
  });
});

describe("The grace period of a sweep", () => {
  it("counts from the time when a file got its name, however old the file says it is", async (t) => {
    const fixture = await openSweepFixture({ entities: [Scan] });
    t.after(() => fixture.close());
    const storage = new DiskStorage(join(fixture.folder, "imported"));
    const files = new PrivateFiles(fixture.dataSource, { storage });
    await mkdir(join(storage.root, "uploads"));
    await writeFile(storage.path("uploads/imported.pdf"), "bytes");
    await utimes(storage.path("uploads/imported.pdf"), 1_000_000, 1_000_000);
    const sweep = () => files.sweep({ olderThan: 0.3, dryRun: false, force: true, prefixes: ["uploads/"] });
    const report = await sweep();
    assert.deepEqual([report.young, report.orphans], [1, 0]);
    await eventually(async () => assert.equal((await sweep()).removed, 1));
  });
});
