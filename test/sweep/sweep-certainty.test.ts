import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type DataSource,
  DataSource as DataSourceClass,
  type DataSourceOptions,
  Entity,
  EntitySchema,
  PrimaryGeneratedColumn,
  ViewEntity,
} from "typeorm";
import {
  DiskStorage,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  privateFileColumn,
  type SweepReport,
} from "typeorm-private-files";
import { describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { afterEach, beforeEach, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture } from "../support/sweep-fixture.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) scan!: PrivateFile | null;
}

/** An entity that a worker may have forgotten. */
@Entity()
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "parcels", nullable: true }) label!: PrivateFile | null;
}

@ViewEntity({ name: "letter_view", expression: `SELECT id, scan FROM letter` })
class LetterView {
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

const refused = (message: RegExp) => ({ name: "ConfigurationError", message });

describeOnEachDatabase("A sweep that may not see all rows", (database) => {
  let fixture: SweepFixture;
  const opened: DataSource[] = [];
  beforeEach(async () => {
    fixture = await openSweepFixture({ entities: [Letter, Parcel] }, database);
  });
  afterEach(async () => {
    for (const dataSource of opened.splice(0)) await dataSource.destroy();
    await fixture.close();
  });

  /** Another data source of the same database. */
  async function open(options: Partial<DataSourceOptions>): Promise<DataSource> {
    const all = { ...fixture.dataSource.options, synchronize: false, ...options } as DataSourceOptions;
    const dataSource = await new DataSourceClass(all).initialize();
    opened.push(dataSource);
    return dataSource;
  }
  const sweep = (files: PrivateFiles): Promise<SweepReport> => files.sweep({ dryRun: false, force: true });

  it("is refused while another data source of the process keeps files there whose rows it can't see", async () => {
    const { storage, files } = fixture;
    const key = await putOld(storage, keyIn("letters"));
    assert.ok(files);
    const other = await database.open({ entities: [Letter] });
    try {
      const others = new PrivateFiles(other.dataSource, { storage: new DiskStorage(storage.root) });
      for (const one of [others, files]) {
        await assert.rejects(
          sweep(one),
          refused(/(Letter\.scan|Parcel\.label) of another data source keeps its files in/),
        );
      }
      assert.deepEqual(await keysOf(storage), [key]);
    } finally {
      await other.close();
    }
    assert.equal((await sweep(files)).removed, 1);
  });

  it("is refused without a private column, as with a list of entities that is empty by mistake", async () => {
    const { storage } = fixture;
    if (database.name === "sql.js") return;
    const files = new PrivateFiles(await open({ entities: [] }), { storage });
    for (const options of [{}, { dryRun: false, force: true }]) {
      await assert.rejects(files.sweep(options), refused(/the data source has no private column/));
    }
  });

  it("leaves what is in the folder of no column that it knows: another entity may have it", async () => {
    const { storage, dataSource } = fixture;
    const label = await putOld(storage, keyIn("parcels"));
    await putOld(storage, keyIn("letters"));
    if (database.name === "sql.js") return;
    const worker = new PrivateFiles(await open({ entities: [Letter] }), { storage });
    assert.equal(dataSource.isInitialized, true);
    const report = await sweep(worker);
    assert.deepEqual([report.removed, report.foreign], [1, 1]);
    assert.deepEqual(await keysOf(storage), [label]);
    const told = await worker.sweep({ dryRun: false, force: true, prefixes: ["parcels/"] });
    assert.equal(told.removed, 1);
  });

  it("keeps what a view names that has no primary key", async () => {
    if (database.name === "sql.js") return;
    const { storage, dataSource } = fixture;
    await dataSource.query("CREATE VIEW letter_view AS SELECT id, scan FROM letter");
    const keys = [await putOld(storage, keyIn("letters")), await putOld(storage, keyIn("letters"))];
    const [named, orphan] = keys as [string, string];
    await dataSource.query(`INSERT INTO letter (scan) VALUES ('${named}')`);
    for (let count = 0; count < 3; count++) await dataSource.query("INSERT INTO letter (scan) SELECT scan FROM letter");
    await dataSource.query("INSERT INTO letter (scan) VALUES ('letters/gone')");
    const files = new PrivateFiles(await open({ entities: [LetterView] }), { storage });
    const missing: unknown[] = [];
    const report = await files.sweep({
      dryRun: false,
      prefixes: ["letters/"],
      onItem: (item) => void missing.push(item),
    });
    assert.deepEqual([report.removed, report.named, report.missing], [1, 1, 1]);
    assert.deepEqual(missing[0], { kind: "missing", key: "letters/gone", column: "LetterView.scan", id: {} });
    assert.deepEqual(await keysOf(storage), [named]);
    assert.notEqual(named, orphan);
    await dataSource.query("DROP VIEW letter_view");
  });
});

describeOnEachDatabase(
  "A sweep of PostgreSQL",
  (database) => {
    let fixture: SweepFixture;
    const closing: (() => Promise<unknown>)[] = [];
    beforeEach(async () => {
      fixture = await openSweepFixture({ entities: [Letter] }, database);
    });
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
      await fixture.close();
    });

    async function signIn(role: string, entities: DataSourceOptions["entities"] = [Letter]): Promise<PrivateFiles> {
      const { dataSource, storage } = fixture;
      const url = new URL((dataSource.options as { url: string }).url);
      url.username = role;
      const options = { ...dataSource.options, url: url.href, entities, synchronize: false } as DataSourceOptions;
      const signedIn = await new DataSourceClass(options).initialize();
      closing.push(async () => signedIn.isInitialized && signedIn.destroy());
      return new PrivateFiles(signedIn, { storage });
    }

    async function role(grants: string): Promise<string> {
      const { dataSource } = fixture;
      const name = `private_files_${randomBytes(8).toString("hex")}`;
      await dataSource.query(
        `CREATE ROLE ${name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}; ${grants}`,
      );
      closing.push(() => dataSource.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`));
      return name;
    }

    it("is refused to a role from which row-level security hides rows, and tells nothing of orphans", async () => {
      const { dataSource, storage } = fixture;
      const key = await putOld(storage, keyIn("letters"));
      await dataSource.query(`INSERT INTO letter (scan) VALUES ('${key}')`);
      await dataSource.query(
        "ALTER TABLE letter ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON letter USING (false)",
      );
      await dataSource.query("CREATE VIEW letter_view WITH (security_invoker = true) AS SELECT id, scan FROM letter");
      const tenant = await role("");
      const Viewed = new EntitySchema<{ id: number; scan: PrivateFile }>({
        ...{ name: "letter_view", type: "view" },
        columns: { id: { type: Number, primary: true }, scan: privateFileColumn() },
      });
      for (const entities of [[Letter], [Viewed]]) {
        const hidden = await signIn(tenant, entities);
        for (const dryRun of [true, false]) {
          await assert.rejects(
            hidden.sweep({ dryRun, force: true, olderThan: 0, onItem: () => assert.fail("an orphan") }),
            refused(/row-level security hides rows of "letter" from this role/),
          );
        }
        await hidden.dataSource.destroy();
      }
      assert.equal((await fixture.files.sweep()).named, 1);
      assert.deepEqual(await keysOf(storage), [key]);
    });

    it("is refused where the session chooses between the tables of two schemas, unless the schema is named", async () => {
      const { dataSource, storage, files } = fixture;
      const key = await putOld(storage, keyIn("letters"));
      await dataSource.query("CREATE SCHEMA tenant; CREATE TABLE tenant.letter (id int PRIMARY KEY, scan text)");
      await dataSource.query(`INSERT INTO tenant.letter VALUES (1, '${key}')`);
      await assert.rejects(
        files.sweep({ dryRun: false, force: true }),
        refused(/the schemas public and tenant each have a table "letter"/),
      );
      assert.deepEqual(await keysOf(storage), [key]);
      const options = { ...dataSource.options, schema: "tenant", synchronize: false } as DataSourceOptions;
      const tenant = await new DataSourceClass(options).initialize();
      closing.push(() => tenant.destroy());
      await dataSource.destroy();
      try {
        assert.equal((await new PrivateFiles(tenant, { storage }).sweep({ dryRun: false })).named, 1);
      } finally {
        await dataSource.initialize();
      }
    });

    it("asks the primary server alone, whatever a replica has not heard of yet", async (t) => {
      const { dataSource, storage, folder } = fixture;
      const behind = await openSweepFixture({ entities: [Letter] }, database);
      t.after(() => behind.close());
      const { url } = dataSource.options as { url: string };
      const replica = { url: (behind.dataSource.options as { url: string }).url };
      const replication = { master: { url }, slaves: [replica] };
      const options: DataSourceOptions = { type: "postgres", entities: [Letter], replication };
      const replicated = await new DataSourceClass(options).initialize();
      closing.push(() => replicated.destroy());
      const key = await putOld(storage, keyIn("letters"));
      await dataSource.query(`INSERT INTO letter (scan) VALUES ('${key}')`);
      const files = new PrivateFiles(replicated, { storage: new DiskStorage(join(folder, "files")) });
      const report = await files.sweep({ dryRun: false, force: true, olderThan: 0 });
      assert.deepEqual([report.named, report.orphans, report.missing], [1, 0, 0]);
      assert.equal(await replicated.manager.count(Letter), 0, "the replica knows no row");
    });
  },
  [postgres],
);

describeOnEachDatabase(
  "A sweep of tables that move keys from column to column",
  (database) => {
    it("sees each key in one of them, though a column's character set refuses to be asked together with others", async (t) => {
      const fixture = await openSweepFixture({ entities: [Letter, Parcel] }, database);
      t.after(() => fixture.close());
      const { dataSource, storage, files } = fixture;
      if (database === mariadb) {
        await dataSource.query("ALTER TABLE letter MODIFY scan varchar(255) CHARACTER SET latin1");
      }
      const keys: string[] = [];
      for (let count = 0; count < 40; count++) keys.push(await putOld(storage, keyIn("letters", `日本${count}.txt`)));
      const [moving] = [await putOld(storage, keyIn("letters", "moving.txt"))];
      await dataSource.query(`INSERT INTO letter (scan) VALUES ('${moving}')`);
      await dataSource.query("INSERT INTO parcel (label) VALUES (NULL)");
      let isOver = false;
      const move = async () => {
        for (let there = true; !isOver; there = !there) {
          await dataSource.transaction(async ({ queryRunner }) => {
            const [letter, parcel] = there ? ["NULL", `'${moving}'`] : [`'${moving}'`, "NULL"];
            await queryRunner!.query(`UPDATE letter SET scan = ${letter}`);
            await queryRunner!.query(`UPDATE parcel SET label = ${parcel}`);
          });
        }
      };
      const moves = move();
      try {
        for (let count = 0; count < 15; count++) {
          const report = await files.sweep({ force: true, prefixes: ["letters/"] });
          assert.equal(report.orphans, keys.length, "the one that moves is not an orphan");
        }
      } finally {
        isOver = true;
        await moves;
      }
    });
  },
  [postgres, mariadb],
);
