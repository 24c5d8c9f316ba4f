import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { relative } from "node:path";
import { DataSource, type DataSourceOptions, Entity, EntitySchema, PrimaryGeneratedColumn } from "typeorm";
import { DiskStorage, PrivateFile, PrivateFileColumn, PrivateFiles, privateFileColumn } from "typeorm-private-files";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres, type TestDatabase } from "../support/databases.js";
import { describe, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld, type SweepFixture } from "../support/sweep-fixture.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) scan!: PrivateFile | null;
}

const LetterView = new EntitySchema<{ id: number; scan: PrivateFile }>({
  ...{ name: "letter_view", type: "view" },
  columns: { id: { type: Number, primary: true }, scan: privateFileColumn({ uploadTo: "letters" }) },
});

/** Undone after the test, the last one first. */
type Undo = (() => Promise<unknown>)[];

function undoing(t: { after(work: () => Promise<void>): void }): Undo {
  const undo: Undo = [];
  t.after(async () => {
    for (const work of undo.reverse()) await work();
  });
  return undo;
}

async function fixtureOf(database: TestDatabase, undo: Undo): Promise<SweepFixture> {
  const fixture = await openSweepFixture({ entities: [Letter] }, database);
  undo.push(() => fixture.close());
  return fixture;
}

async function again(dataSource: DataSource, changes: object, undo: Undo): Promise<DataSource> {
  const options = { ...dataSource.options, synchronize: false, ...changes } as DataSourceOptions;
  const opened = await new DataSource(options).initialize();
  undo.push(async () => opened.isInitialized && opened.destroy());
  return opened;
}

async function letter({ storage }: SweepFixture, dataSource: DataSource): Promise<string> {
  const key = await putOld(storage, keyIn("letters"));
  await dataSource.query(`INSERT INTO letter (scan) VALUES ('${key}')`);
  return key;
}

describeOnEachDatabase(
  "A sweep beside a data source of another database",
  (database) => {
    it('keeps its files, though both have the same "database" beside the "url", which TypeORM prefers', async (t) => {
      const undo = undoing(t);
      const [one, two] = [await fixtureOf(database, undo), await fixtureOf(database, undo)];
      const mine = await again(one.dataSource, { database: "app" }, undo);
      const theirs = await again(two.dataSource, { database: "app" }, undo);
      const files = new PrivateFiles(mine, { storage: one.storage });
      assert.ok(new PrivateFiles(theirs, { storage: new DiskStorage(one.storage.root) }));
      const keys = [await letter(one, mine), await letter(one, theirs)].sort();
      await files.sweep({ dryRun: false }).catch(() => {});
      assert.deepEqual(await keysOf(one.storage), keys);
    });
  },
  [postgres, mariadb],
);

describe("A sweep of rows that PostgreSQL hides", { skip: postgres.skip }, () => {
  it("keeps the files of rows that row-level security hides from the owner of a view, whoever sweeps", async (t) => {
    const undo = undoing(t);
    const fixture = await fixtureOf(postgres, undo);
    const { dataSource, storage } = fixture;
    const keys = [await letter(fixture, dataSource), await letter(fixture, dataSource)].sort();
    const owner = `private_files_${randomBytes(8).toString("hex")}`;
    await dataSource.query(`CREATE ROLE ${owner}`);
    undo.push(() => dataSource.query(`DROP OWNED BY ${owner}; DROP ROLE ${owner}`));
    await dataSource.query(
      `ALTER TABLE letter ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON letter USING (id = 1);
      GRANT CREATE ON SCHEMA public TO ${owner}; GRANT SELECT ON letter TO ${owner};
      CREATE VIEW letter_view AS SELECT id, scan FROM letter; ALTER VIEW letter_view OWNER TO ${owner}`,
    );
    const files = new PrivateFiles(await again(dataSource, { entities: [LetterView] }, undo), { storage });
    await files.sweep({ dryRun: false }).catch(() => {});
    assert.deepEqual(await keysOf(storage), keys);
  });

  it("keeps the files of a table that a temporary table of the session hides", async (t) => {
    const undo = undoing(t);
    const fixture = await fixtureOf(postgres, undo);
    const { dataSource, storage } = fixture;
    const keys = [await letter(fixture, dataSource), await letter(fixture, dataSource)].sort();
    const session = await again(dataSource, { extra: { max: 1 } }, undo);
    await session.query("CREATE TEMPORARY TABLE letter AS SELECT * FROM letter WHERE id = 1");
    await new PrivateFiles(session, { storage }).sweep({ dryRun: false }).catch(() => {});
    assert.deepEqual(await keysOf(storage), keys);
  });
});

describe("A sweep beside another data source of the same database", () => {
  async function assertSweeps(
    t: Parameters<typeof undoing>[0],
    database: TestDatabase,
    changes: (options: { url: string; database: string }) => object,
  ) {
    const undo = undoing(t);
    const fixture = await fixtureOf(database, undo);
    const { dataSource, storage, files } = fixture;
    await letter(fixture, dataSource);
    assert.ok(files);
    const other = await again(dataSource, changes(dataSource.options as never), undo);
    assert.ok(new PrivateFiles(other, { storage }));
    assert.equal((await files.sweep({ dryRun: false })).named, 1);
  }

  it("works where one leaves out PostgreSQL's port", { skip: postgres.skip }, (t) =>
    assertSweeps(t, postgres, ({ url }) => ({ url: url.replace(":5432", "") })),
  );
  it("works where one is replicated", { skip: postgres.skip }, (t) =>
    assertSweeps(t, postgres, ({ url }) => ({ url: undefined, replication: { master: { url }, slaves: [{ url }] } })),
  );
  it("works where one names the schema that the other finds by itself", { skip: postgres.skip }, (t) =>
    assertSweeps(t, postgres, () => ({ schema: "public" })),
  );
  it("works where one is of type mysql and the other of type mariadb", { skip: mariadb.skip }, (t) =>
    assertSweeps(t, mariadb, () => ({ type: "mysql" })),
  );
  it("works where the path of SQLite's file is written in two ways", { skip: betterSqlite3.skip }, (t) =>
    assertSweeps(t, betterSqlite3, ({ database }) => ({ database: relative(process.cwd(), database) })),
  );

  it("works where the password in the URL has a #, and never fails with an error that holds the password", {
    skip: mariadb.skip,
  }, async (t) => {
    const undo = undoing(t);
    const { dataSource, storage } = await fixtureOf(mariadb, undo);
    const user = `pf_${randomBytes(8).toString("hex")}`;
    for (const host of ["127.0.0.1", "localhost"]) {
      await dataSource.query(`CREATE USER ${user}@'${host}' IDENTIFIED BY 'se#cret'`);
      undo.push(() => dataSource.query(`DROP USER ${user}@'${host}'`));
      await dataSource.query(`GRANT ALL ON ${dataSource.driver.database}.* TO ${user}@'${host}'`);
    }
    const url = (dataSource.options as { url: string }).url.replace("root@", `${user}:se#cret@`);
    const [one, two] = [await again(dataSource, { url }, undo), await again(dataSource, { url }, undo)];
    assert.ok(new PrivateFiles(two, { storage }));
    const said: unknown = await new PrivateFiles(one, { storage }).sweep().catch((error) => error);
    assert.doesNotMatch(JSON.stringify({ ...(said as object) }), /se#cret/);
    assert.ok(!(said instanceof Error), String(said));
  });
});
