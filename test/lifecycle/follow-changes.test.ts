import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type DataSource,
  Entity,
  type EntityManager,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from "typeorm";
import { ConfigurationError, DiskStorage, PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { after, beforeEach, it, type TestContext } from "../support/suite.js";

const folder = await mkdtemp(join(tmpdir(), "private-files-"));
after(() => rm(folder, { recursive: true }));
const [attic, cellar] = [new DiskStorage(join(folder, "attic")), new DiskStorage(join(folder, "cellar"))];

/** A chest whose columns are in different storages. */
@Entity()
class Chest {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ storage: attic, nullable: true }) above!: PrivateFile | null;
  @PrivateFileColumn({ storage: cellar, nullable: true }) below!: PrivateFile | null;
}

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

/** As an application that opens the same folder twice. */
const office = () => new DiskStorage(join(folder, "office"));

describeOnEachDatabase("PrivateFiles and the files of a data source", (database) => {
  beforeEach(async () => {
    for (const storage of [attic, cellar, office()]) {
      for (const key of await keysIn(storage)) await storage.delete(key);
    }
  });

  async function open(t: TestContext): Promise<{ dataSource: DataSource; manager: EntityManager }> {
    const { dataSource, close } = await database.open({ entities: [Chest, Letter] });
    t.after(close);
    return { dataSource, manager: dataSource.manager };
  }

  it("remove each file once when there are several PrivateFiles", async (t) => {
    const { dataSource, manager } = await open(t);
    const storage = office();
    const [files, others] = [storage, storage, office()].map((one) => new PrivateFiles(dataSource, { storage: one }));
    const removing = t.mock.method(storage, "delete");
    const letter = new Letter();
    await files!.attach(letter, "scan", Buffer.from("first"));
    await manager.save(letter);
    await others!.attach(letter, "scan", Buffer.from("second"));
    await manager.save(letter);
    assert.deepEqual(await keysIn(storage), [letter.scan!.key]);
    await manager.remove(letter);
    assert.deepEqual(await keysIn(storage), []);
    assert.equal(removing.mock.callCount(), 2);
  });

  it("are refused to a PrivateFiles that would keep them elsewhere", async (t) => {
    const { dataSource } = await open(t);
    new PrivateFiles(dataSource, { storage: office() });
    assert.throws(
      () => new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "elsewhere")) }),
      (error) => error instanceof ConfigurationError && /^Letter\.scan: another PrivateFiles/.test(error.message),
    );
  });

  it("are followed when PrivateFiles is there before the data source is initialized", async (t) => {
    const { dataSource } = await open(t);
    await dataSource.destroy();
    const files = new PrivateFiles(dataSource, { storage: office() });
    await dataSource.initialize();
    files.routes();
    const letter = new Letter();
    await files.attach(letter, "scan", Buffer.from("first"));
    await dataSource.manager.save(letter);
    await dataSource.manager.remove(letter);
    assert.deepEqual(await keysIn(office()), []);
  });

  it("are followed in the migrations that run when the data source is initialized", async (t) => {
    if (database.name === "sql.js") return t.skip("a database in memory is empty after another initialize");
    const { dataSource, manager } = await open(t);
    const files = new PrivateFiles(dataSource, { storage: office() });
    const letter = new Letter();
    await files.attach(letter, "scan", Buffer.from("first"));
    await manager.save(letter);
    class RemoveLetters1700000000000 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        await runner.manager.remove(await runner.manager.find(Letter));
      }
      async down(): Promise<void> {}
    }
    dataSource.setOptions({ migrations: [RemoveLetters1700000000000], migrationsRun: true, synchronize: false });
    await dataSource.destroy();
    await dataSource.initialize();
    assert.deepEqual([await manager.count(Letter), await keysIn(office())], [0, []]);
  });

  it("are followed once PrivateFiles is used after the data source was initialized anew", async (t) => {
    const { dataSource, manager } = await open(t);
    const files = new PrivateFiles(dataSource, { storage: office() });
    for (let time = 0; time < 3; time++) {
      await dataSource.destroy();
      await dataSource.initialize();
      await dataSource.synchronize();
      const letter = new Letter();
      await files.attach(letter, "scan", Buffer.from("first"));
      await manager.save(letter);
      await files.attach(letter, "scan", Buffer.from("second"));
      await manager.save(letter);
      assert.deepEqual(await keysIn(office()), [letter.scan!.key]);
      await manager.remove(letter);
      assert.deepEqual(await keysIn(office()), []);
    }
  });

  it("are removed from their own storage alone, each where its column keeps it", async (t) => {
    const { dataSource, manager } = await open(t);
    const files = new PrivateFiles(dataSource, { storage: office() });
    const chest = new Chest();
    await files.attach(chest, "above", Buffer.from("above"));
    await files.attach(chest, "below", Buffer.from("below"));
    await manager.save(chest);
    files.detach(chest, "above");
    await manager.save(chest);
    assert.deepEqual([await keysIn(attic), await keysIn(cellar)], [[], [chest.below!.key]]);
    assert.equal(await text(await files.open(chest, "below")), "below");
    await manager.remove(chest);
    assert.deepEqual(await keysIn(cellar), []);
  });

  it("are discarded from their own storage, `retryFor` seconds after the rollback and not before", async (t) => {
    const { dataSource, manager } = await open(t);
    const files = new PrivateFiles(dataSource, { storage: office(), retryFor: 0.3 });
    const [kept, dropped] = [new Chest(), new Chest()];
    await files.attach(kept, "below", Buffer.from("below"));
    await manager.save(kept);
    await files.attach(dropped, "above", Buffer.from("above"));
    const transaction = manager.transaction(async (inside) => {
      await inside.save(dropped);
      throw new Error("Not today.");
    });
    const begin = performance.now();
    await assert.rejects(transaction, { message: "Not today." });
    assert.deepEqual(await keysIn(attic), [dropped.above!.key]);
    await eventually(async () => assert.deepEqual(await keysIn(attic), []));
    assert.ok(performance.now() - begin >= 290);
    assert.deepEqual(await keysIn(cellar), [kept.below!.key]);
    await assert.rejects(manager.save(dropped), { code: "ERR_PRIVATE_FILE_DISCARDED" });
  });
});

async function keysIn(storage: DiskStorage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys.sort();
}
