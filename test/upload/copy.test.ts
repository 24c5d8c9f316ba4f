import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Column, type DataSource, Entity, type EntityManager, PrimaryGeneratedColumn } from "typeorm";
import {
  DiskStorage,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  type Storage,
  StorageError,
} from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { after, afterEach, before, beforeEach, it } from "../support/suite.js";
import { deleteAll } from "../support/typeorm.js";

const memory = new MemoryStorage();

@Entity()
class Draft {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Draft>({ uploadTo: "drafts", nullable: true, fields: { name: "scanName" } })
  scan!: PrivateFile | null;
  @Column({ type: String, nullable: true }) scanName!: string | null;
  @PrivateFileColumn({ uploadTo: "photos", nullable: true }) photo!: PrivateFile | null;
  @PrivateFileColumn({ uploadTo: "short", nullable: true, length: 45 }) short!: PrivateFile | null;
}

@Entity()
class Publication {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "published", nullable: true, fields: { name: "title" } }) file!: PrivateFile | null;
  @Column({ type: String, nullable: true }) title!: string | null;
  @PrivateFileColumn({ uploadTo: "memory", nullable: true, storage: memory }) kept!: PrivateFile | null;
}

const BYTES = randomBytes(300_000);

describeOnEachDatabase("PrivateFiles.copy", (database) => {
  let folder: string;
  let storage: DiskStorage;
  let dataSource: DataSource;
  let manager: EntityManager;
  let files: PrivateFiles;
  let close: () => Promise<void>;
  let draft: Draft;
  before(async () => {
    ({ dataSource, close } = await database.open({ entities: [Draft, Publication] }));
    manager = dataSource.manager;
    folder = await mkdtemp(join(tmpdir(), "private-files-"));
    storage = new DiskStorage(join(folder, "files"));
    files = new PrivateFiles(dataSource, { storage });
  });
  beforeEach(async () => {
    draft = manager.create(Draft);
    await files.attach(draft, "scan", BYTES, { filename: "Übung 1.pdf" });
    await manager.save(draft);
  });
  afterEach(async () => {
    for (const entity of [Draft, Publication]) await deleteAll(manager, entity);
    for (const key of await keysIn(storage)) await storage.delete(key);
    memory.objects.clear();
  });
  after(async () => {
    await close();
    await rm(folder, { recursive: true });
  });

  const bytesOf = async <E extends Draft | Publication>(entity: E, property: string) =>
    buffer(await files.open(entity, property as never));

  it("gives a second row an object of its own, which outlives the first row and the other way round", async () => {
    const copies = [manager.create(Draft), manager.create(Draft)];
    for (const copy of copies) {
      const file = await files.copy(draft, "scan", copy, "scan");
      assert.equal(file, copy.scan);
      assert.equal(copy.scanName, "Übung 1.pdf");
      await manager.save(copy);
    }
    await manager.remove(draft);
    await manager.remove(copies[0]!);
    assert.deepEqual(await keysIn(storage), [copies[1]!.scan!.key]);
    assert.ok((await bytesOf(copies[1]!, "scan")).equals(BYTES));
  });

  it("copies to another property, another entity and another storage, with the name of the original or a new one", async () => {
    const publication = manager.create(Publication);
    await files.copy(draft, "scan", draft, "photo");
    await files.copy(draft, "scan", publication, "file", { filename: "Übung.pdf" });
    await files.copy(draft, "scan", publication, "kept");
    await manager.save([draft, publication]);
    assert.equal(publication.title, "Übung.pdf");
    assert.match(draft.photo!.key, /^photos\/[0-9a-z]{30}\/Übung_1\.pdf$/);
    assert.match(publication.file!.key, /^published\/[0-9a-z]{30}\/Übung\.pdf$/);
    assert.deepEqual([...memory.objects.keys()], [publication.kept!.key]);
    for (const [entity, property] of [
      [draft, "photo"],
      [publication, "file"],
      [publication, "kept"],
    ] as const) {
      assert.ok((await bytesOf(entity, property)).equals(BYTES), property);
    }
  });

  it("makes an upload of the copy, as attach does: replaced before it is saved, it is deleted; after a rollback it can be saved again", async () => {
    const copy = manager.create(Draft);
    const first = await files.copy(draft, "scan", copy, "scan");
    const second = await files.copy(draft, "scan", copy, "scan");
    assert.equal(await storage.stat(first.key), undefined);
    const rollback = new Error("rolled back");
    const failing = manager.transaction(async (inner) => {
      await inner.save(copy);
      throw rollback;
    });
    await assert.rejects(failing, rollback);
    delete (copy as Partial<Draft>).id;
    await manager.save(copy);
    assert.deepEqual(await keysIn(storage), [draft.scan!.key, second.key].sort());
  });

  it("copies an object that another program wrote, and the copy goes with its row", async () => {
    await storage.put("imports/1.pdf", Readable.from([BYTES]));
    await files.adopt(draft, "photo", "imports/1.pdf");
    const copy = manager.create(Draft);
    await files.copy(draft, "photo", copy, "scan");
    await manager.save(copy);
    assert.ok((await bytesOf(copy, "scan")).equals(BYTES));
    await manager.remove(copy);
    assert.deepEqual(await keysIn(storage), ["imports/1.pdf", draft.scan!.key].sort());
  });

  it("leaves nothing, and the entity as it was, when it is aborted", async () => {
    const copy = manager.create(Draft, { scanName: "before" });
    const reason = new Error("enough");
    const late = new AbortController();
    const slow: Storage["copy"] = async (from, to, options) => {
      await DiskStorage.prototype.copy.call(storage, from, to, options);
      late.abort(reason);
    };
    const aborts: [AbortSignal, Storage["copy"]][] = [
      [AbortSignal.abort(reason), undefined],
      [late.signal, slow],
    ];
    for (const [signal, copying] of aborts) {
      if (copying) Object.assign(storage, { copy: copying });
      try {
        await assert.rejects(files.copy(draft, "scan", copy, "scan", { signal }), {
          code: "ERR_PRIVATE_FILE_UPLOAD",
          cause: reason,
        });
      } finally {
        delete (storage as Partial<DiskStorage>).copy;
      }
    }
    assert.deepEqual([copy.scan, copy.scanName], [undefined, "before"]);
    assert.deepEqual(await keysIn(storage), [draft.scan!.key]);
    assert.deepEqual(await readdir(join(storage.root, ".incomplete")), []);
  });

  it("keeps no copy that is not as long as its original", async () => {
    const copying = storage.copy;
    Object.assign(storage, {
      async copy(_from: string, to: string) {
        await storage.put(to, Readable.from([BYTES.subarray(1)]));
      },
    });
    try {
      const failing = files.copy(draft, "scan", manager.create(Draft), "scan");
      await assert.rejects(
        failing,
        (error) => error instanceof StorageError && /299999 bytes in place of 300000/.test(error.message),
      );
    } finally {
      delete (storage as Partial<DiskStorage>).copy;
    }
    assert.equal(storage.copy, copying);
    assert.deepEqual(await keysIn(storage), [draft.scan!.key]);
  });

  it("fails when there is no file, no object, or no room for the key", async () => {
    const [empty, copy] = [manager.create(Draft), manager.create(Draft)];
    await assert.rejects(files.copy(empty, "scan", copy, "scan"), { code: "ERR_PRIVATE_FILE_NOT_FOUND" });
    await files.attach(empty, "short", BYTES, { filename: "a" });
    await assert.rejects(
      files.copy(draft, "scan", manager.create(Draft), "short", { filename: `a.${"x".repeat(10)}` }),
      {
        code: "ERR_PRIVATE_FILE_KEY",
      },
    );
    await storage.delete(draft.scan!.key);
    await assert.rejects(files.copy(draft, "scan", copy, "scan"), {
      code: "ERR_PRIVATE_FILE_MISSING",
      message: /^Draft\.scan: the storage has no object ".*"\. Restore the file, or load the entity again\.$/,
    });
    assert.deepEqual(await keysIn(storage), [empty.short!.key]);
  });
});

async function keysIn(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys.sort();
}
