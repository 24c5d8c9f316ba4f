import assert from "node:assert/strict";
import { Column, DataSource, type DataSourceOptions, Entity, ManyToOne, PrimaryColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import {
  describeOnEachDatabase,
  mariadb,
  type OpenDatabase,
  postgres,
  type TestDatabase,
} from "../support/databases.js";
import { after, before, beforeEach, it } from "../support/suite.js";

@Entity()
class Tenant {
  @PrimaryColumn() name!: string;
}

@Entity()
class Letter {
  @PrimaryColumn() id!: number;
  @Column({ default: "new" }) state!: string;
  @ManyToOne(() => Tenant) tenant!: Relation<Tenant>;
  @PrivateFileColumn<Letter>({
    condition: (_ctx, letter) => letter.tenant?.name === "alice",
    relations: { tenant: true },
    nullable: true,
  })
  scan!: PrivateFile | null;
}

const model = { entities: [Letter, Tenant] };

/** A replica that hears of nothing by itself: a test copies the rows that it is to know. */
describeOnEachDatabase("A file whose row a replica does not know yet", define, [postgres, mariadb]);

function define(database: TestDatabase): void {
  let replica: OpenDatabase;
  let application: Application;
  let letter: Letter;

  before(async () => {
    replica = await database.open(model);
    application = await startApplication({ ...model, database: replicatedBy(replica.dataSource, database) });
  });
  after(async () => {
    await application.close();
    await replica.close();
  });

  beforeEach(async () => {
    for (const { manager } of [application.dataSource, replica.dataSource]) {
      await manager.query("DELETE FROM letter");
      await manager.query("DELETE FROM tenant");
    }
    application.errors.length = 0;
    const { manager } = application.dataSource;
    letter = manager.create(Letter, { id: 1, tenant: await manager.save(manager.create(Tenant, { name: "alice" })) });
    await save("first");
  });

  it("is sent as soon as it is saved", async () => {
    assert.equal(await application.dataSource.manager.count(Letter), 0, "the replica has no row");
    await assertSent("first");
  });

  it("is sent where the replica has the row without its file", async () => {
    await replicate(null);
    await assertSent("first");
  });

  it("is sent where the replica names a file that was replaced by one of the same name", async () => {
    await replicate();
    await save("second");
    await assertSent("second");
  });

  it("is sent where the replica names a file that was replaced by one of another name", async () => {
    await replicate();
    await save("second", "corrected.txt");
    await assertSent("second");
  });

  it("is sent by the rule as the primary has it, where that was asked", async () => {
    await application.dataSource.query("INSERT INTO tenant VALUES ('bob')");
    await application.dataSource.query("UPDATE letter SET \"tenantName\" = 'bob'".replaceAll('"', quote(database)));
    assert.equal((await ask()).status, 403);
  });

  it("is sent without the primary where the replica knows all", async () => {
    await replicate();
    await application.dataSource.query("DELETE FROM letter");
    await assertSent("first");
  });

  it("is not found where the primary does not have it either, and the log advises to lose nothing", async () => {
    const url = application.files.url(letter, "scan");
    await replicate();
    await application.storage.delete(letter.scan!.key);
    assert.equal((await application.get(url)).status, 404);
    const told = application.errors.filter((error) => (error as { code?: string }).code === "ERR_PRIVATE_FILE_MISSING");
    assert.match(String(told), /Restore the object, or look whether the row has another file by now\.$/);
    await application.dataSource.query("DELETE FROM letter");
    await replica.dataSource.query("DELETE FROM letter");
    assert.equal((await application.get(url)).status, 404);
  });

  async function save(content: string, filename = "letter.txt"): Promise<void> {
    await application.files.attach(letter, "scan", Buffer.from(content), { filename });
    await application.dataSource.manager.save(letter);
  }

  /** Lets the replica know the row as it is now, or with another key. */
  async function replicate(key: string | null = letter.scan!.key): Promise<void> {
    const scan = key === null ? "NULL" : `'${key}'`;
    await replica.dataSource.query("INSERT INTO tenant VALUES ('alice')");
    const columns = 'id, state, "tenantName", scan'.replaceAll('"', quote(database));
    await replica.dataSource.query(`INSERT INTO letter (${columns}) VALUES (1, 'new', 'alice', ${scan})`);
  }

  function ask() {
    return application.get(application.files.url(letter, "scan"));
  }

  async function assertSent(content: string): Promise<void> {
    const { status, body } = await ask();
    assert.deepEqual([status, body.toString()], [200, content]);
    assert.deepEqual(application.errors, []);
  }
}

function replicatedBy(replica: DataSource, database: TestDatabase): TestDatabase {
  return {
    name: "replicated",
    async open(opened) {
      const { dataSource, close } = await database.open(opened);
      const { type } = dataSource.options;
      const replication = { master: { url: urlOf(dataSource) }, slaves: [{ url: urlOf(replica) }] };
      const replicated = new DataSource({ ...model, type, replication } as DataSourceOptions);
      await replicated.initialize();
      return {
        dataSource: replicated,
        async close() {
          await replicated.destroy();
          await close();
        },
      };
    },
  };
}

function urlOf({ options }: DataSource): string {
  return (options as { url: string }).url;
}

function quote(database: TestDatabase): string {
  return database === mariadb ? "`" : '"';
}
