import assert from "node:assert/strict";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { it } from "../support/suite.js";

@Entity()
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "labels", nullable: true }) label!: PrivateFile | null;
}

/** What an application keeps of its downloads, say. */
@Entity()
class LogLine {
  @PrimaryGeneratedColumn() id!: number;
  @Column() key!: string;
}

describeOnEachDatabase("A table without private columns", (database) => {
  const archive = archiveOfSuite(database, { entities: [Parcel, LogLine] }, [Parcel, LogLine]);

  it("may keep the keys of files, before and after they are saved, and keeps no file alive", async () => {
    const { manager } = archive.dataSource;
    const parcel = manager.create(Parcel, {});
    const { key } = await archive.files.attach(parcel, "label", Buffer.from("a"));
    await manager.save(LogLine, { key });
    await manager.save(parcel);
    const line = await manager.save(LogLine, { key });
    await manager.insert(LogLine, [{ key }, { key }]);
    await manager.update(LogLine, line.id, { key });
    assert.equal(await manager.countBy(LogLine, { key }), 4);
    assert.deepEqual(await archive.keys(), [key]);
    await manager.remove(parcel);
    assert.deepEqual(await archive.keys(), []);
  });
});
