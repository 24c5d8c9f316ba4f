import assert from "node:assert/strict";
import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { openArchive } from "../../support/archive.js";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres, sqljs } from "../../support/databases.js";
import { it } from "../../support/suite.js";

@Entity()
class Message {
  @PrimaryColumn({ type: "bigint" }) id!: string;
  @Column() n!: number;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

@Entity()
class Reading {
  @PrimaryColumn({ type: "timestamp", precision: 6 }) at!: Date;
  @Column() n!: number;
}

@Entity()
class Plot {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Reading, { onDelete: "CASCADE" }) reading!: Relation<Reading>;
  @PrivateFileColumn({ nullable: true }) image!: PrivateFile | null;
}

describeOnEachDatabase(
  "files.remove of a row whose primary key the driver rounds to another row's",
  (database) => {
    it("never removes that other row", async (t) => {
      const { dataSource, files, close } = await openArchive(database, { entities: [Message] });
      t.after(close);
      await dataSource.query("INSERT INTO message (id, n) VALUES (9007199254740992, 1), (9007199254740993, 2)");
      await files.remove(Message, { n: 2 }).catch(() => {});
      assert.equal(await dataSource.manager.countBy(Message, { n: 1 }), 1);
    });
  },
  [sqljs, betterSqlite3],
);

describeOnEachDatabase(
  "files.remove of a row whose time the driver rounds to another row's",
  (database) => {
    it("never removes that other row, nor the files of the rows below it", async (t) => {
      const { dataSource, files, keys, close } = await openArchive(database, { entities: [Reading, Plot] });
      t.after(close);
      const { manager } = dataSource;
      await manager.query(
        "INSERT INTO reading (at, n) VALUES ('2024-01-01 00:00:00.123', 1), ('2024-01-01 00:00:00.123456', 2)",
      );
      const plot = manager.create(Plot, { reading: await manager.findOneByOrFail(Reading, { n: 1 }) });
      await files.attach(plot, "image", Buffer.from("bytes"));
      await manager.save(plot);
      await files.remove(Reading, { n: 2 }).catch(() => {});
      assert.deepEqual(
        [await manager.countBy(Reading, { n: 1 }), await manager.count(Plot), (await keys()).length],
        [1, 1, 1],
      );
    });
  },
  [postgres, mariadb],
);
