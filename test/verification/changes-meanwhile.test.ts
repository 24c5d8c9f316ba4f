import assert from "node:assert/strict";
import { unlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type ReadOptions, StorageError, type SweepItem } from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { afterEach, beforeEach, it } from "../support/suite.js";
import { sweepAll } from "../support/sweep-fixture.js";
import { type Archive, Contract, digestOf, Letter, openArchive } from "./archive.js";

describeOnEachDatabase("a sweep with verify, while rows and objects change,", (database) => {
  let archive: Archive;
  let letter: Letter;

  beforeEach(async () => {
    archive = await openArchive(database);
    letter = await archive.add(Letter, { scan: "right" });
  });
  afterEach(() => archive.close());

  /** Verifies, and does something whenever an object was looked up and is about to be read. */
  async function verifyWhile(
    change: (key: string, time: number) => Promise<void>,
  ): Promise<{ items: SweepItem[]; counts: number[]; times: number }> {
    const { storage } = archive;
    const read = storage.read.bind(storage);
    let times = 0;
    storage.read = async (key: string, options?: ReadOptions) => {
      await change(key, ++times);
      return read(key, options);
    };
    const { items, report } = await sweepAll(archive.files, { verify: true });
    const { verified, unverified, altered, unreadable } = report.verification!;
    return { items, counts: [verified, unverified, altered, unreadable], times };
  }

  it("says nothing of a row that got another file, and whose old one was deleted with it", async () => {
    const { items, counts } = await verifyWhile(async (_, time) => {
      if (time > 1) return;
      await archive.files.attach(letter, "scan", Buffer.from("new"), { filename: "b.txt" });
      await archive.dataSource.manager.save(letter);
    });
    assert.deepEqual([items, counts], [[], [0, 0, 0, 0]]);
  });

  it("says nothing of a row that was removed with its file", async () => {
    const other = await archive.add(Letter, { scan: "right" });
    const { items, counts } = await verifyWhile(async (key) => {
      if (key === letter.scan?.key) await archive.dataSource.manager.remove(letter);
    });
    assert.deepEqual([items, counts], [[], [1, 0, 0, 0]]);
    assert.ok(other.id);
  });

  it("says nothing of a row whose file and digest another program replaced under the same key", async () => {
    const { items, counts } = await verifyWhile(async (_, time) => {
      if (time > 1) return;
      await archive.harm(letter.scan, "newer bytes");
      await archive.dataSource.manager.update(Letter, letter.id, { bytes: 11, digest: digestOf("newer bytes") });
    });
    assert.deepEqual([items, counts], [[], [0, 0, 0, 0]]);
  });

  it("says nothing of a row whose digest alone was corrected", async () => {
    await archive.dataSource.manager.update(Letter, letter.id, { digest: digestOf("wrong") });
    const { items, counts } = await verifyWhile(async () => {
      await archive.dataSource.manager.update(Letter, letter.id, { digest: digestOf("right") });
    });
    assert.deepEqual([items, counts], [[], [0, 0, 0, 0]]);
  });

  it("tells of a missing file where the object alone was deleted", async () => {
    const { items, counts } = await verifyWhile(() => unlink(archive.storage.path(letter.scan!.key)));
    const { id, scan } = letter;
    assert.deepEqual(items, [{ kind: "missing", key: scan!.key, column: "Letter.scan", id: { id } }]);
    assert.deepEqual(counts, [0, 0, 0, 0]);
  });

  it("reads an object once more that was restored while it was read", async () => {
    const { id, draft } = await archive.add(Contract, { draft: "contract" });
    await archive.harm(draft, "damaged!");
    const { items, counts, times } = await verifyWhile(async (key, time) => {
      if (key === draft!.key && time < 3) await archive.harm(draft, "contract");
    });
    assert.deepEqual([items, counts, id !== undefined], [[], [2, 0, 0, 0], true]);
    assert.equal(times, 3);
  });

  it("reads an object once more that changed under the reader, who has half of each", async () => {
    const { storage } = archive;
    const read = storage.read.bind(storage);
    let times = 0;
    storage.read = async (key: string, options?: ReadOptions) => {
      if (++times > 1) return read(key, options);
      await buffer(await read(key, options));
      await new Promise((resolve) => setTimeout(resolve, 10));
      await archive.harm(letter.scan, "right");
      return Readable.from([Buffer.from("ri"), Buffer.from("xxx")]);
    };
    const { items, report } = await sweepAll(archive.files, { verify: true });
    assert.deepEqual([items, report.verification!.verified, times], [[], 1, 2]);
  });

  it("tells that an object can't be read which changes all the time", async () => {
    const { id, draft } = await archive.add(Contract, { draft: "contract" });
    const { items, counts } = await verifyWhile(async (key) => {
      if (key !== draft!.key) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
      await archive.harm(draft, "damaged!");
    });
    assert.deepEqual(counts, [1, 0, 0, 1]);
    const [item] = items;
    assert.ok(item?.kind === "unreadable" && item.error instanceof StorageError);
    assert.deepEqual(item.id, { id });
    assert.match(item.error.message, /^drafts\/.*: it changes while it is read\. /);
  });

  it("does not take a row for replaced because another one beside it was", async () => {
    const [second, third] = [
      await archive.add(Letter, { scan: "right" }),
      await archive.add(Letter, { scan: "right" }),
    ];
    await archive.harm(second.scan, "wrong");
    const { items, counts } = await verifyWhile(async (key) => {
      if (key === letter.scan?.key) await archive.dataSource.manager.remove(letter);
      if (key === third.scan?.key) await archive.dataSource.manager.remove(third);
    });
    assert.deepEqual(
      items.map(({ kind, key }) => [kind, key]),
      [["altered", second.scan!.key]],
    );
    assert.deepEqual(counts, [0, 0, 1, 0]);
  });
});
