import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { DataSource } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { PARTS, Parcel, putInto } from "../support/parcel.js";

/** A storage that looks, before it removes an object, whether a database's file still names it. */
class WatchfulStorage extends DiskStorage {
  readonly removed: { key: string; named: boolean }[] = [];

  constructor(
    root: string,
    private readonly location: string,
  ) {
    super(root);
  }

  override async delete(key: string): Promise<void> {
    this.removed.push({ key, named: (await keysIn(this.location)).includes(key) });
    await super.delete(key);
  }
}

describe("A database that sql.js keeps in a file", () => {
  it("is written before a replaced file goes, so that a crash in between leaves no row without its file", async (t) => {
    const { dataSource, storage, files } = await openFile(t);
    const parcel = dataSource.manager.create(Parcel);
    await putInto(parcel, "letter", "old", Buffer.from("old"), files);
    await dataSource.manager.save(parcel);
    const { key } = parcel.letter!;
    await putInto(parcel, "letter", "new", Buffer.from("new"), files);
    await dataSource.manager.save(parcel);
    assert.deepEqual(storage.removed, [{ key, named: false }]);
  });

  it("is written before the file of a removed row goes", async (t) => {
    const { dataSource, storage, files } = await openFile(t);
    const parcel = dataSource.manager.create(Parcel);
    await putInto(parcel, "letter", "old", Buffer.from("old"), files);
    await dataSource.manager.save(parcel);
    const { key } = parcel.letter!;
    await dataSource.transaction((manager) => manager.remove(parcel));
    assert.deepEqual(storage.removed, [{ key, named: false }]);
  });
});

async function openFile(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const location = join(folder, "test.sqlite");
  const dataSource = new DataSource({ type: "sqljs", location, autoSave: true, entities: [Parcel], synchronize: true });
  await dataSource.initialize();
  t.after(async () => {
    await dataSource.destroy();
    await rm(folder, { recursive: true });
  });
  const storage = new WatchfulStorage(join(folder, "files"), location);
  return { dataSource, storage, files: new PrivateFiles(dataSource, { storage }) };
}

/** The keys that rows name, for somebody who opens the file now. */
async function keysIn(location: string): Promise<(string | undefined)[]> {
  const dataSource = await new DataSource({ type: "sqljs", location, entities: [Parcel] }).initialize();
  const parcels = await dataSource.manager.find(Parcel);
  await dataSource.destroy();
  return parcels.flatMap((parcel) => PARTS.map((part) => parcel[part]?.key));
}
