import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles, type SweepReport } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { describeOnEachDatabase, sqljs } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture } from "../support/sweep-fixture.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @PrivateFileColumn({ uploadTo: "letters" }) scan!: PrivateFile;
}

function letterNaming({ dataSource }: SweepFixture, key: string): Letter {
  return Object.assign(new Letter(), { scan: adoptedFile(dataSource, Letter, "scan", key) });
}

describeOnEachDatabase("a sweep beside others", (database) => {
  let fixture: SweepFixture;
  beforeEach(async () => {
    fixture = await openSweepFixture({ entities: [Letter] }, database);
  });
  afterEach(() => fixture.close());

  const letterOf = (key: string) => letterNaming(fixture, key);
  const save = (letters: Letter[]) => fixture.dataSource.manager.save(letters, { chunk: 200 });

  it("may run twice at once: each orphan goes, nothing else does, and nothing fails", async () => {
    const { storage, dataSource } = fixture;
    const named = [await putOld(storage, keyIn("letters")), await putOld(storage, keyIn("letters"))].sort();
    await save(named.map(letterOf));
    for (let count = 0; count < 60; count++) await putOld(storage, keyIn("letters"));
    const sweep = () => new PrivateFiles(dataSource, { storage }).sweep({ dryRun: false });
    const reports = await Promise.all([sweep(), sweep(), sweep()]);
    assert.deepEqual(
      reports.map(({ failed, missing }) => failed + missing),
      [0, 0, 0],
    );
    assert.deepEqual(await keysOf(storage), named);
  });

  it("never removes a file that rows hand on, or that a rollback gives back to its row", async () => {
    const storage = new MemoryStorage();
    const files = new PrivateFiles(fixture.dataSource, { storage });
    const keys = Array.from({ length: 20 }, () => keyIn("letters"));
    for (const key of keys) storage.objects.set(key, { bytes: Buffer.from("x"), modifiedAt: new Date(0) });
    await save(keys.map(letterOf));
    let sweeping = true;
    const writer = async () => {
      for (let turn = 0; sweeping; turn++) {
        await handOn(keys[turn % keys.length]!, turn % 2 === 0);
        // SQLite's drivers never wait for anything, and would let nobody else have a turn.
        await setImmediate();
      }
    };
    const handOn = (key: string, commits: boolean) =>
      fixture.dataSource
        .transaction(async (manager) => {
          await manager.createQueryBuilder().delete().from(Letter).where("scan = :key", { key }).execute();
          if (commits) await manager.insert(Letter, letterOf(key));
          else throw new Error("rolled back");
        })
        .catch((error) => assert.equal(error.message, "rolled back"));
    const writing = writer();
    let orphans = 0;
    for (let count = 0; count < 40; count++) orphans += (await files.sweep({ dryRun: false, force: true })).orphans;
    sweeping = false;
    await writing;
    assert.deepEqual([orphans, [...storage.objects.keys()]], [0, keys]);
  });

  it("removes orphans and no others while rows come and go", async () => {
    const { storage, files } = fixture;
    const orphans = Array.from({ length: 40 }, () => keyIn("letters"));
    for (const key of orphans) await putOld(storage, key);
    await save([letterOf(await putOld(storage, keyIn("letters")))]);
    let sweeping = true;
    const written: Letter[] = [];
    const writer = async () => {
      for (; sweeping || written.length < 10; ) {
        const letter = new Letter();
        await files.attach(letter, "scan", Buffer.from("bytes"), { filename: "a.txt" });
        written.push(letter);
        await fixture.dataSource.manager.save(letter);
        if (written.length % 3 === 0) await fixture.dataSource.manager.delete(Letter, letter.id);
      }
    };
    const writing = [writer(), writer()];
    const total = { removed: 0, missing: 0, failed: 0 };
    for (let count = 0; count < 5; count++) {
      const report: SweepReport = await files.sweep({ dryRun: false });
      for (const name of ["removed", "missing", "failed"] as const) total[name] += report[name];
    }
    sweeping = false;
    await Promise.all(writing);
    assert.deepEqual(total, { removed: 40, missing: 0, failed: 0 });
    for (const { scan } of await fixture.dataSource.manager.find(Letter)) assert.ok(await storage.stat(scan.key));
    for (const key of orphans) assert.equal(await storage.stat(key), undefined);
  });
});

describe("a sweep inside of a transaction of SQLite", () => {
  it("waits for the outcome of a transaction that removed a row", async (t) => {
    const fixture = await openSweepFixture({ entities: [Letter] });
    t.after(() => fixture.close());
    const key = await putOld(fixture.storage, keyIn("letters"));
    const letter = await fixture.dataSource.manager.save(letterNaming(fixture, key));
    const runner = fixture.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.delete(Letter, letter.id);
    const sweep = fixture.files.sweep({ dryRun: false, force: true });
    const first = await Promise.race([sweep, new Promise((resolve) => setTimeout(resolve, 200, "waits"))]);
    assert.equal(first, "waits");
    await runner.rollbackTransaction();
    assert.deepEqual([(await sweep).orphans, await keysOf(fixture.storage)], [0, [key]]);
  });
});

describe("a sweep whose process is killed", () => {
  it("has removed orphans alone, and the next one removes the others", async (t) => {
    const fixture = await openSweepFixture({ entities: [Letter] }, sqljs);
    t.after(() => fixture.close());
    const { storage, files } = fixture;
    const named = await putOld(storage, "letters/named.txt");
    for (let count = 0; count < 80; count++) await putOld(storage, keyIn("letters"));
    const child = spawn(process.execPath, ["--input-type=module", "--eval", sweeper(storage.root)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    let removed = 0;
    for await (const _ of createInterface({ input: child.stdout })) {
      if (++removed === 12) child.kill("SIGKILL");
    }
    assert.deepEqual(await exit, [null, "SIGKILL"]);
    const left = await keysOf(storage);
    assert.ok(left.includes(named) && left.length > 1 && left.length < 81, `${left.length} are left`);
    await fixture.dataSource.manager.save(letterNaming(fixture, named));
    const report = await files.sweep({ dryRun: false });
    assert.deepEqual([report.removed, report.failed], [left.length - 1, 0]);
    assert.deepEqual(await keysOf(storage), [named]);
  });
});

/** A program that sweeps a folder for a database of one row, and waits at the twelfth orphan until it is killed. */
function sweeper(root: string): string {
  return `
    import { setTimeout } from "node:timers/promises";
    import { DataSource, EntitySchema } from ${JSON.stringify(import.meta.resolve("typeorm"))};
    import { PrivateFiles, privateFileColumn } from ${JSON.stringify(import.meta.resolve("typeorm-private-files"))};
    import { BackdatedStorage } from ${JSON.stringify(import.meta.resolve("../support/backdated-storage.js"))};
    const columns = { id: { type: Number, primary: true, generated: true }, scan: privateFileColumn({ uploadTo: "letters" }) };
    const entities = [new EntitySchema({ name: "Letter", columns })];
    const dataSource = await new DataSource({ type: "sqljs", entities, synchronize: true }).initialize();
    const files = new PrivateFiles(dataSource, { storage: new BackdatedStorage(${JSON.stringify(root)}) });
    const letter = dataSource.getRepository("Letter").create();
    await files.adopt(letter, "scan", "letters/named.txt");
    await dataSource.getRepository("Letter").save(letter);
    let items = 0;
    const onItem = async ({ key }) => { console.log(key); await setTimeout(++items < 12 ? 20 : 2 ** 30); };
    await files.sweep({ dryRun: false, onItem });`;
}
