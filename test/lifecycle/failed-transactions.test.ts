import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import {
  Check,
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  type EntityManager,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { type Archive, openArchive } from "../support/archive.js";
import { startCuttingProxy } from "../support/cutting-proxy.js";
import { describeOnEachDatabase, mariadb, postgres, type TestDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Folder {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
@Check("pages >= 0")
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String, nullable: true, unique: true }) number!: string | null;
  @Column({ type: Number, default: 0 }) pages!: number | null;
  @PrivateFileColumn({ uploadTo: "scans" }) scan!: PrivateFile;
  @ManyToOne(() => Folder, { nullable: true, deferrable: "INITIALLY DEFERRED" }) folder!: Relation<Folder> | null;
}

const entities = [Folder, Invoice];
let archive: Archive;
let manager: EntityManager;

function useArchive(database: TestDatabase): void {
  before(async () => {
    archive = await openArchive(database, { entities });
    manager = archive.dataSource.manager;
    // TypeORM makes no checks there.
    if (database.name === "MariaDB") await manager.query("ALTER TABLE invoice ADD CHECK (pages >= 0)");
  });
  after(() => archive.close());
  beforeEach(async () => {
    await manager.deleteAll(Invoice);
    for (const key of await archive.keys()) await archive.storage.delete(key);
  });
}

async function attached(content: string, values: Partial<Invoice> = {}): Promise<Invoice> {
  const invoice = manager.create(Invoice, values);
  await archive.files.attach(invoice, "scan", Buffer.from(content));
  return invoice;
}

async function saved(content: string, values: Partial<Invoice> = {}): Promise<Invoice> {
  return manager.save(await attached(content, values));
}

async function contentOf({ id }: Invoice): Promise<string> {
  return text(await archive.files.open(await manager.findOneByOrFail(Invoice, { id }), "scan"));
}

/** What a database refuses: at the statement, or at COMMIT where a constraint is deferred. */
const refusals: [string, (invoice: Invoice) => void, (invoice: Invoice) => void][] = [
  ["breaks a unique constraint", (one) => (one.number = "taken"), (one) => (one.number = "free")],
  ["breaks a not-null constraint", (one) => (one.pages = null), (one) => (one.pages = 1)],
  ["breaks a check", (one) => (one.pages = -1), (one) => (one.pages = 1)],
  [
    "breaks a foreign key, which may be found at COMMIT",
    (one) => (one.folder = { id: 99 }),
    (one) => (one.folder = null),
  ],
];

describeOnEachDatabase("A failed transaction", (database) => {
  useArchive(database);

  for (const [what, spoil, mend] of refusals) {
    it(`leaves nothing of an insert that ${what}, and the upload is to be attached again`, async () => {
      await saved("other", { number: "taken" });
      const invoice = await attached("new");
      spoil(invoice);
      await assert.rejects(manager.save(invoice));
      assert.deepEqual([await manager.count(Invoice), (await archive.keys()).length], [1, 1]);
      mend(invoice);
      await assert.rejects(manager.save(invoice), { code: "ERR_PRIVATE_FILE_DISCARDED" });
      await archive.files.attach(invoice, "scan", Buffer.from("new"));
      await manager.save(manager.create(Invoice, { ...invoice, id: undefined }));
      assert.deepEqual([await manager.count(Invoice), (await archive.keys()).length], [2, 2]);
    });

    it(`leaves the old file of a replacement that ${what}`, async () => {
      await saved("other", { number: "taken" });
      const invoice = await saved("old");
      await archive.files.attach(invoice, "scan", Buffer.from("new"));
      spoil(invoice);
      await assert.rejects(manager.save(invoice));
      assert.deepEqual([await contentOf(invoice), (await archive.keys()).length], ["old", 2]);
      mend(invoice);
      await assert.rejects(manager.save(invoice), { code: "ERR_PRIVATE_FILE_DISCARDED" });
      await archive.files.attach(invoice, "scan", Buffer.from("new"));
      await manager.save(invoice);
      assert.deepEqual([await contentOf(invoice), (await archive.keys()).length], ["new", 2]);
    });
  }
});

describe("A transaction that PostgreSQL ends by itself", { skip: postgres.skip }, () => {
  useArchive(postgres);

  it("keeps the old file when a statement failed, nobody heeded it, and COMMIT became a rollback", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    await manager.transaction(async (inner) => {
      await inner.save(invoice);
      await assert.rejects(inner.query("SELECT 1 / 0"));
    });
    assert.equal(await contentOf(invoice), "old");
    assert.equal((await archive.keys()).length, 2);
  });

  it("keeps the old file of the one whom a serialization failure or a deadlock ends", async () => {
    const [first, second] = [await saved("old 1"), await saved("old 2")];
    const rivals = [
      [first, second],
      [second, first],
    ].map(([one, other]) => [manager.create(Invoice, { ...one }), manager.create(Invoice, { ...other })]);
    for (const invoice of rivals.flat())
      await archive.files.attach(invoice!, "scan", Buffer.from(`new ${invoice!.id}`));
    const results = await Promise.allSettled(
      rivals.map((pair) =>
        manager.transaction("SERIALIZABLE", async (inner) => {
          for (const invoice of pair) {
            await inner.save(invoice!);
            await inner.query("SELECT pg_sleep(0.2)");
          }
        }),
      ),
    );
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.deepEqual(
      [await contentOf(first), await contentOf(second)],
      ["new 1", "new 2"].map((text, n) => text.replace(/\d/, `${[first, second][n]!.id}`)),
    );
    assert.equal((await archive.keys()).length, 2);
  });

  it("keeps the old file when a statement takes longer than it may", async () => {
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const slow = manager.transaction(async (inner) => {
      await inner.save(invoice);
      await inner.query("SET LOCAL statement_timeout = 50");
      await inner.query("SELECT pg_sleep(5)");
    });
    await assert.rejects(slow, /statement timeout/);
    assert.equal(await contentOf(invoice), "old");
    assert.equal((await archive.keys()).length, 1);
  });

  it("touches neither file when the backend is killed while it commits", async () => {
    await manager.query(
      `CREATE FUNCTION dawdle() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END' LANGUAGE plpgsql`,
    );
    await manager.query(
      `CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`,
    );
    const invoice = await saved("old");
    await archive.files.attach(invoice, "scan", Buffer.from("new"));
    const saving = assert.rejects(manager.save(invoice));
    await eventually(async () => {
      const killed = await manager.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active' AND datname = current_database()`,
      );
      assert.equal(killed.length, 1);
    });
    await saving;
    await manager.query("DROP TRIGGER slow ON invoice");
    assert.equal(await contentOf(invoice), "old");
    assert.equal((await archive.keys()).length, 2);
  });
});

for (const database of [postgres, mariadb]) {
  describe(`A connection to ${database.name} that is lost`, { skip: database.skip }, () => {
    useArchive(database);

    it("before COMMIT: neither file is touched, and the upload can be saved again", async () => {
      const invoice = await saved("old");
      await archive.files.attach(invoice, "scan", Buffer.from("new"));
      const failing = manager.transaction(async (inner) => {
        await inner.save(invoice);
        await kill(inner);
      });
      await assert.rejects(failing);
      assert.equal(await contentOf(invoice), "old");
      assert.equal((await archive.keys()).length, 2);
      await manager.save(invoice);
      // What became of the lost transaction nobody knows, so its old file is left to a sweep.
      assert.deepEqual([await contentOf(invoice), (await archive.keys()).length], ["new", 2]);
    });

    it("while COMMIT is answered: neither file is touched, though the row has the new one", async (t) => {
      const options = archive.dataSource.options as DataSourceOptions & { url: string };
      const url = new URL(options.url);
      const cuts = { after: Number.POSITIVE_INFINITY, times: 1 };
      const proxy = await startCuttingProxy(Number(url.port), cuts);
      url.port = String(proxy.port);
      const beforeTransactionCommit = () => {
        cuts.after = 0;
      };
      const dataSource = new DataSource({ ...options, url: url.href, synchronize: false } as DataSourceOptions);
      await dataSource.initialize();
      t.after(async () => {
        await dataSource.destroy();
        await proxy.close();
      });
      const files = new PrivateFiles(dataSource, { storage: archive.storage });
      const invoice = await saved("old");
      const same = await dataSource.manager.findOneByOrFail(Invoice, { id: invoice.id });
      await files.attach(same, "scan", Buffer.from("new"));
      dataSource.subscribers.push({ beforeTransactionCommit });
      await assert.rejects(dataSource.manager.save(same));
      assert.equal(proxy.cut, 1);
      assert.equal(await contentOf(invoice), "new");
      assert.equal((await archive.keys()).length, 2);
    });
  });
}

/** Ends the connection of a transaction, as an administrator would. */
async function kill(inner: EntityManager): Promise<void> {
  if (archive.dataSource.options.type === "postgres") {
    const [{ pid }] = await inner.query("SELECT pg_backend_pid() AS pid");
    await manager.query("SELECT pg_terminate_backend($1)", [pid]);
  } else {
    const [{ id }] = await inner.query("SELECT CONNECTION_ID() AS id");
    await manager.query(`KILL ${id}`);
  }
}
