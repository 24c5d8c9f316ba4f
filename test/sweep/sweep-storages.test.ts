import assert from "node:assert/strict";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type OrphanItem,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  type Storage,
  StorageError,
  type SweepOptions,
  type SweepProgress,
} from "typeorm-private-files";
import { dataSourceOf } from "../../src/column/data-source.js";
import { adoptedFile } from "../support/adopted-file.js";
import { BackdatedStorage } from "../support/backdated-storage.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture, sweepAll } from "../support/sweep-fixture.js";

/** Which storage `Parcel.label` has: each test says. */
const own: { storage?: Storage } = {};

@Entity()
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "labels", nullable: true }) label!: PrivateFile | null;
  @PrivateFileColumn(
    Object.defineProperty({ uploadTo: "notes", nullable: true }, "storage", {
      enumerable: false,
      get: () => own.storage,
    }),
  )
  note!: PrivateFile | null;
}

let fixture: SweepFixture;

beforeEach(async () => {
  own.storage = undefined;
  fixture = await openSweepFixture({ entities: [Parcel] });
});
afterEach(() => fixture.close());

const save = (keys: { label: string; note?: string }) => {
  const { manager } = fixture.dataSource;
  const named = Object.entries(keys).map(([property, key]) => [
    property,
    adoptedFile(dataSourceOf(manager), Parcel, property, key),
  ]);
  return manager.save(manager.create(Parcel, Object.fromEntries(named)));
};
const withStorage = (storage: Storage) => new PrivateFiles(fixture.dataSource, { storage });

describe("a sweep of several storages", () => {
  it("looks into each, and takes what a column of one names for an orphan in another", async () => {
    const other = new BackdatedStorage(join(fixture.folder, "notes"));
    own.storage = other;
    const label = await putOld(fixture.storage, keyIn("labels"));
    const note = await putOld(other, keyIn("notes"));
    await save({ label, note });
    const orphans = [await putOld(fixture.storage, keyIn("labels")), await putOld(other, keyIn("notes"))];
    const { report, items } = await sweepAll(withStorage(fixture.storage), { dryRun: false });
    assert.deepEqual([report.listed, report.named, report.removed], [4, 2, 2]);
    assert.deepEqual(
      items.map((item) => [item.key, (item as OrphanItem).columns]),
      [
        [orphans[0], ["Parcel.label"]],
        [orphans[1], ["Parcel.note"]],
      ],
    );
    assert.deepEqual([await keysOf(fixture.storage), await keysOf(other)], [[label], [note]]);
  });

  it("takes two objects for one folder as one storage", async () => {
    own.storage = new BackdatedStorage(fixture.storage.root);
    const label = await putOld(fixture.storage, keyIn("labels"));
    const note = await putOld(fixture.storage, keyIn("notes"));
    await save({ label, note });
    const { report } = await sweepAll(withStorage(fixture.storage), { dryRun: false });
    assert.deepEqual([report.listed, report.named, report.removed, report.missing], [2, 2, 0, 0]);
  });

  it("keeps what any column names, where it can't know that two objects stand for one bucket", async () => {
    const [one, twin] = [new MemoryStorage(), new MemoryStorage()];
    Object.assign(twin, { objects: one.objects });
    own.storage = twin;
    const keys = [keyIn("labels"), keyIn("notes")];
    for (const key of keys) one.objects.set(key, { bytes: Buffer.from("x"), modifiedAt: new Date(0) });
    await save({ label: keys[0]!, note: keys[1]! });
    const { report } = await sweepAll(withStorage(one), { dryRun: false });
    assert.deepEqual([report.orphans, [...one.objects.keys()]], [0, keys]);
  });

  for (const dryRun of [true, false]) {
    it(`refuses storages of which one lies inside the other, ${dryRun ? "in a dry run, too" : "and removes nothing"}`, async () => {
      own.storage = new BackdatedStorage(join(fixture.storage.root, "notes"));
      const key = await putOld(fixture.storage, keyIn("labels"));
      await assert.rejects(withStorage(fixture.storage).sweep({ dryRun, force: true }), {
        name: "ConfigurationError",
        message: /lies inside of the one in .* Give each a folder of its own\.$/,
      });
      assert.deepEqual(await keysOf(fixture.storage), [key]);
    });
  }

  it("does not take a folder for nested whose name only begins like the other's", async () => {
    own.storage = new BackdatedStorage(`${fixture.storage.root}-notes`);
    assert.equal((await withStorage(fixture.storage).sweep()).listed, 0);
  });

  it("takes a folder for nested whose name only begins like the way out", async () => {
    await mkdir(join(fixture.storage.root, "..x"));
    own.storage = new BackdatedStorage(join(fixture.storage.root, "..x"));
    await assert.rejects(withStorage(fixture.storage).sweep(), { name: "ConfigurationError" });
  });
});

describe("a sweep of a storage that is no folder", () => {
  it("finds and removes orphans, finds rows without a file, and needs neither a path nor removeIncomplete", async () => {
    const storage = new MemoryStorage();
    const [named, orphan] = [keyIn("labels"), keyIn("labels")];
    for (const key of [named, orphan]) storage.objects.set(key, { bytes: Buffer.from("x"), modifiedAt: new Date(0) });
    await save({ label: named });
    await save({ label: "labels/gone" });
    const { report } = await sweepAll(withStorage(storage), { dryRun: false });
    assert.deepEqual([report.removed, report.missing, report.incomplete], [1, 1, 0]);
    assert.deepEqual([...storage.objects.keys()], [named]);
  });

  it("tells how far it is, and ends with the signal's reason", async () => {
    const storage = new MemoryStorage();
    for (let count = 0; count < 1050; count++) {
      storage.objects.set(keyIn("labels"), { bytes: Buffer.from("x"), modifiedAt: new Date(0) });
    }
    const files = withStorage(storage);
    const steps: SweepProgress[] = [];
    await files.sweep({ onProgress: (progress) => steps.push(progress) });
    assert.deepEqual(
      steps.map(({ step, done, expected }) => [step, done, expected]),
      [
        ...[200, 400, 600, 800, 1000].map((done) => ["objects", done, 0]),
        ...[200, 400, 600, 800, 1000].map((done) => ["orphans", done, 1050]),
      ],
    );
    const abort = new AbortController();
    const reason = new Error("enough");
    const options = { force: true, dryRun: false, signal: abort.signal, onItem: () => abort.abort(reason) };
    await assert.rejects(files.sweep(options), reason);
    assert.ok(storage.objects.size < 1050 && storage.objects.size >= 1000, `${storage.objects.size} are left`);
    await assert.rejects(files.sweep({ signal: AbortSignal.abort(reason) }), reason);
  });

  it("ends with the error of a callback, and of a storage that can't be listed", async () => {
    const storage = new MemoryStorage();
    storage.objects.set(keyIn("labels"), { bytes: Buffer.from("x"), modifiedAt: new Date(0) });
    const failure = new Error("the log is full");
    await assert.rejects(withStorage(storage).sweep({ onItem: () => Promise.reject(failure) }), failure);
    storage.list = () => {
      throw new StorageError("it is away", "/");
    };
    await assert.rejects(withStorage(storage).sweep(), { code: "ERR_PRIVATE_FILE_STORAGE" });
  });

  it("does not take a storage that fails for one that has lost its files", async () => {
    const storage = new MemoryStorage();
    storage.stat = () => Promise.reject(new StorageError("it is away", "/"));
    await save({ label: "labels/there" });
    await assert.rejects(withStorage(storage).sweep(), { code: "ERR_PRIVATE_FILE_STORAGE" });
  });
});

describe("an orphan that can't be removed", () => {
  it("is counted and told with its error, and the sweep goes on", async () => {
    const { storage } = fixture;
    const keys: string[] = [];
    for (let count = 0; count < 3; count++) keys.push(await putOld(storage, keyIn("labels")));
    const remove = storage.delete.bind(storage);
    const failing = keys[1]!;
    storage.delete = async (key) => {
      if (key === failing) throw new StorageError(`${key}: no permission.`, key);
      return remove(key);
    };
    const { report, items } = await sweepAll(withStorage(storage), { dryRun: false, force: true });
    assert.deepEqual([report.orphans, report.removed, report.failed], [3, 2, 1]);
    const failed = items.find((item) => item.key === failing) as OrphanItem;
    assert.deepEqual([failed.removed, failed.error?.name], [false, "StorageError"]);
    assert.deepEqual(await keysOf(storage), [failing]);
  });

  it("fails by the file system's own rules, and goes the next time", { skip: process.getuid?.() === 0 }, async () => {
    const key = await putOld(fixture.storage, keyIn("labels"));
    const folder = join(fixture.storage.path(key), "..");
    await chmod(folder, 0o500);
    const files = withStorage(fixture.storage);
    assert.equal((await files.sweep({ dryRun: false, force: true })).failed, 1);
    await chmod(folder, 0o700);
    assert.equal((await files.sweep({ dryRun: false, force: true })).removed, 1);
  });
});

describe("a wrong option of a sweep", () => {
  const wrong: [string, SweepOptions, RegExp][] = [
    [
      "a grace period that is no number",
      { olderThan: Number.NaN },
      /"olderThan" must be 0 or more, got NaN\. Give seconds/,
    ],
    ["one below zero", { olderThan: -1 }, /"olderThan" must be 0 or more, got -1/],
    ["one without end", { olderThan: Number.POSITIVE_INFINITY }, /"olderThan" must be 0 or more, got Infinity/],
    ["a text", { olderThan: "24h" as unknown as number }, /"olderThan" must be 0 or more, got "24h"/],
    ["a dryRun that is no boolean", { dryRun: 0 as unknown as boolean }, /"dryRun" must be true or false, got 0/],
    ["a prefix that no key has", { prefixes: ["../"] }, /^Prefix/],
    ["an empty prefix", { prefixes: ["labels/", ""] }, /"prefixes" must be an array of strings that are not empty/],
    ["a text in place of prefixes", { prefixes: "labels/" as never }, /"prefixes" must be an array/],
  ];
  for (const [what, options, message] of wrong) {
    it(`is refused before anything is done: ${what}`, async () => {
      await assert.rejects(withStorage(fixture.storage).sweep(options), { message });
    });
  }

  it("is none: a grace period of more years than there are", async () => {
    await putOld(fixture.storage, keyIn("labels"), 1_000_000);
    assert.equal((await withStorage(fixture.storage).sweep({ olderThan: 1e300 })).young, 0);
    await rm(fixture.storage.root, { recursive: true });
    assert.equal((await withStorage(fixture.storage).sweep()).listed, 0);
  });
});
