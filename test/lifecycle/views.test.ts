import assert from "node:assert/strict";
import {
  Column,
  type DataSource,
  Entity,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  ViewColumn,
  ViewEntity,
} from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, beforeEach, it } from "../support/suite.js";

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column() topic!: string;
  @PrivateFileColumn({ uploadTo: "notes", nullable: true }) scan!: PrivateFile | null;
}

/** A view of rows: it has their primary key. */
@ViewEntity({ expression: "SELECT id, topic, scan FROM note" })
class OpenNote {
  @PrimaryColumn() id!: number;
  @ViewColumn() topic!: string;
  @PrivateFileColumn({ condition: () => true, nullable: true }) scan!: PrivateFile | null;
}

/** A view of groups, without a primary key. */
@ViewEntity({ expression: "SELECT topic, MAX(scan) AS scan FROM note GROUP BY topic" })
class Topic {
  @ViewColumn() topic!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

/** A view of groups in which a column serves as the primary key. */
@ViewEntity({ expression: "SELECT topic, MAX(scan) AS scan, COUNT(*) AS notes FROM note GROUP BY topic" })
class KeyedTopic {
  @PrimaryColumn({ type: "varchar" }) topic!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

describeOnEachDatabase("A view with a private column", (database) => {
  let dataSource: DataSource;
  let files: PrivateFiles;
  let close: () => Promise<void>;
  let storage: MemoryStorage;
  beforeEach(async () => {
    ({ dataSource, close } = await database.open({ entities: [Note, OpenNote, Topic, KeyedTopic] }));
    storage = new MemoryStorage();
    files = new PrivateFiles(dataSource, { storage });
    for (const topic of ["a", "b"]) {
      const note = dataSource.manager.create(Note, { topic });
      await files.attach(note, "scan", Buffer.from(topic), { filename: `${topic}.txt` });
      await dataSource.manager.save(note);
    }
  });
  afterEach(() => close());

  it("has a URL for each row if it has a primary column", async () => {
    const urls = (await dataSource.manager.find(OpenNote)).map((note) => files.url(note, "scan"));
    assert.deepEqual(urls.sort(), ["/private-files/open-note/scan/1/a.txt", "/private-files/open-note/scan/2/b.txt"]);
  });

  it("has no URL without a primary column, where all rows would share one", async () => {
    const [topic] = await dataSource.manager.find(Topic);
    assert.throws(() => files.url(topic!, "scan"), { message: /the view has no primary column\. Declare one/ });
    assert.ok(await files.stat(topic!, "scan"));
  });

  it("fails to be saved with the database's own error", async () => {
    const topic = await dataSource.manager.findOneByOrFail(KeyedTopic, { topic: "a" });
    await files.attach(topic, "scan", Buffer.from("new"));
    await assert.rejects(dataSource.manager.save(topic), (error: Error) => !/lock|FOR UPDATE/i.test(error.message));
  });

  it("keeps what it names from a sweep, and hides nothing from it", async () => {
    const { key } = await files.attach(new Note(), "scan", Buffer.from("orphan"));
    storage.objects.get(key)!.modifiedAt = new Date(0);
    const report = await files.sweep({ olderThan: 0, dryRun: false });
    assert.deepEqual([report.named, report.removed, report.missing], [2, 1, 0]);
  });
});
