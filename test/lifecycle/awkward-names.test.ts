import assert from "node:assert/strict";
import { Entity, PrimaryColumn, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { it } from "../support/suite.js";
import { updateAll } from "../support/typeorm.js";

@Entity("straße")
class Street {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
}

@Entity("my invoice")
class Spaced {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
}

@Entity()
class LongNamed {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ name: "s".repeat(61), uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
}

/** Its primary key is written once and never again. */
@Entity()
class FixedKey {
  @PrimaryColumn({ update: false }) id!: number;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
}

const otherRow = { code: "ERR_PRIVATE_FILE_OTHER_ROW" };

describeOnEachDatabase("A table or a column with an unusual name", (database) => {
  const entities = [Street, Spaced, LongNamed, FixedKey];
  const archive = archiveOfSuite(database, { entities }, entities);

  for (const entity of [Street, Spaced, LongNamed]) {
    it(`keeps what its open transaction has written when another upload is attached: ${entity.name}`, async () => {
      const { manager } = archive.dataSource;
      const row = manager.create(entity, {});
      await manager.transaction(async (inner) => {
        await archive.files.attach(row, "scan", Buffer.from("a"));
        await inner.save(row);
        await archive.files.attach(row, "scan", Buffer.from("b"));
      });
      const { scan } = await manager.findOneByOrFail(entity, { id: row.id });
      assert.ok(await archive.storage.stat(scan!.key));
    });

    it(`takes no file of another row, also where listeners are off: ${entity.name}`, async () => {
      const { manager } = archive.dataSource;
      const [one, other] = [manager.create(entity, {}), manager.create(entity, {})];
      for (const row of [one, other]) await archive.files.attach(row, "scan", Buffer.from("a"));
      await manager.save([one, other]);
      const update = manager.createQueryBuilder().update(entity).set({ scan: other.scan! }).where({ id: one.id });
      await assert.rejects(update.callListeners(false).execute(), otherRow);
      await manager.update(entity, one.id, { ...(await manager.findOneByOrFail(entity, { id: one.id })) });
      await manager.remove([one, other]);
      assert.deepEqual(await archive.keys(), []);
    });
  }

  it("deletes no upload that raw SQL wrote into its row through a view or a join", async (t) => {
    const { manager } = archive.dataSource;
    const [row, donor] = [await manager.save(manager.create(Street, {})), manager.create(Street, {})];
    const through = {
      PostgreSQL: ["CREATE VIEW lane AS SELECT * FROM straße", "UPDATE lane SET scan = $1 WHERE id = $2"],
      MariaDB: [
        "SELECT 1",
        "UPDATE `my invoice` s RIGHT JOIN straße ON s.id = 0 SET straße.scan = ? WHERE straße.id = ?",
      ],
    }[database.name];
    if (!through) return t.skip("SQLite has neither");
    await manager.query(through[0]!);
    const { key } = await archive.files.attach(donor, "scan", Buffer.from("a"));
    await manager.transaction(async (inner) => {
      await inner.query(through[1]!, [key, row.id]);
      archive.files.detach(donor, "scan");
      await archive.files.attach(donor, "scan", Buffer.from("b"));
    });
    await archive.expire();
    assert.equal((await manager.findOneByOrFail(Street, { id: row.id })).scan!.key, key);
    assert.ok(await archive.storage.stat(key));
  });

  it("lets no other row have a file by an update whose values can't set the primary key", async () => {
    const { manager } = archive.dataSource;
    const rows = [1, 2].map((id) => manager.create(FixedKey, { id }));
    for (const row of rows) await archive.files.attach(row, "scan", Buffer.from("a"));
    await manager.save(rows);
    const loaded = await manager.findOneByOrFail(FixedKey, { id: 1 });
    await assert.rejects(manager.update(FixedKey, 2, { ...loaded }), otherRow);
    await assert.rejects(updateAll(manager, FixedKey, { ...loaded }), otherRow);
  });
});
