import assert from "node:assert/strict";
import {
  DataSource,
  type DataSourceOptions,
  type EntitySubscriberInterface,
  IsNull,
  Like,
  Not,
  type ObjectLiteral,
  ViewColumn,
  ViewEntity,
} from "typeorm";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase } from "../../support/databases.js";
import { takesLong } from "../../support/requirements.js";
import { it } from "../../support/suite.js";
import { needsTypeOrm } from "../../support/typeorm.js";
import { Bill, Client, documents, Line } from "./documents.js";

@ViewEntity({ expression: "SELECT title FROM bill" })
class BillTitle {
  @ViewColumn() title!: string;
}

const ALL = { id: Not(IsNull()) };

describeOnEachDatabase("files.remove, page by page,", (database) => {
  const archive = archiveInMemoryOfSuite(database, { entities: [...documents, BillTitle] }, documents);

  /** Saves bills with a file each. */
  async function fill(count: number): Promise<Bill[]> {
    const bills = Array.from({ length: count }, (_, index) =>
      Object.assign(new Bill(), { id: index, title: `no. ${index}` }),
    );
    for (const bill of bills) await archive.files.attach(bill, "scan", Buffer.from("bytes"));
    return archive.dataSource.manager.save(bills, { chunk: 200 });
  }

  /** Lets a subscriber listen as long as a test runs. */
  async function listening<T>(subscriber: EntitySubscriberInterface, run: () => Promise<T>): Promise<T> {
    const { subscribers } = archive.dataSource;
    subscribers.push(subscriber);
    return run().finally(() => subscribers.splice(subscribers.indexOf(subscriber), 1));
  }

  async function statementsOf(run: () => Promise<unknown>): Promise<string[]> {
    const statements: string[] = [];
    await listening({ beforeQuery: ({ query }) => void statements.push(query) }, run);
    return statements;
  }

  it("has no more than 100 entities loaded at a time, and removes 1,000 with their files", {
    skip: takesLong,
  }, async () => {
    await fill(1000);
    const loaded = new Set<number>();
    const pages: number[] = [];
    const subscriber: EntitySubscriberInterface<Bill> = {
      listenTo: () => Bill,
      afterLoad: ({ id }) => void loaded.add(id),
      afterTransactionCommit: () => {
        pages.push(loaded.size);
        loaded.clear();
      },
    };
    assert.equal(await listening(subscriber, () => archive.files.remove(Bill, ALL)), 1000);
    assert.deepEqual(pages, [...Array(10).fill(100), 0]);
    assert.deepEqual(await archive.keys(), []);
  });

  it("costs three SELECTs for a page more than TypeORM's remove, and none for rows that are not there", async () => {
    const rows = await fill(3);
    await archive.files.remove(Bill, rows.shift()!.id);
    const own = await statementsOf(() => archive.dataSource.manager.remove(rows.shift()));
    const statements = await statementsOf(() => archive.files.remove(Bill, rows[0]!.id));
    const verbs = (list: string[]) => list.map((sql) => sql.split(/\s/, 1)[0]);
    const selects = (list: string[]) => verbs(list).filter((verb) => verb === "SELECT").length;
    const cost = needsTypeOrm("1.0.0") ? 4 : 3; // with the database's own cascade
    assert.equal(selects(statements), selects(own) + cost);
    assert.equal(statements.length, own.length + cost);
    assert.deepEqual(verbs(await statementsOf(() => archive.files.remove(Bill, 999))), [
      verbs(own)[1],
      "SELECT",
      "COMMIT",
    ]);
  });

  it("finds a row once that its condition finds through several others", async () => {
    const [bill] = await fill(1);
    const lines = Array.from({ length: 3 }, () => archive.dataSource.manager.create(Line, { text: "line" }));
    await archive.dataSource.manager.save(Object.assign(bill!, { lines }));
    const statements = await statementsOf(() => archive.files.remove(Bill, { lines: { text: "line" } }));
    assert.equal(statements.filter((sql) => sql === "COMMIT").length, 1);
  });

  it("ends before the next page when the signal says so, and keeps what is removed removed", async () => {
    await fill(250);
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const subscriber = { afterTransactionCommit: () => controller.abort(reason) };
    await assert.rejects(
      listening(subscriber, () => archive.files.remove(Bill, ALL, { signal })),
      (error) => error === reason,
    );
    assert.equal(await archive.dataSource.manager.count(Bill), 150);
    assert.equal((await archive.keys()).length, 150);
    const statements = await statementsOf(() => assert.rejects(archive.files.remove(Bill, ALL, { signal })));
    assert.deepEqual(statements, []);
  });

  it("is part of the caller's transaction, which decides", async () => {
    await fill(250);
    const keys = await archive.keys();
    const { manager } = archive.dataSource;
    const transaction = manager.transaction(async (inner) => {
      assert.equal(await archive.files.remove(Bill, ALL, { manager: inner }), 250);
      assert.equal(await inner.count(Bill), 0);
      throw new Error("roll back");
    });
    await assert.rejects(transaction, { message: "roll back" });
    assert.deepEqual(await archive.keys(), keys);
    assert.equal(await manager.count(Bill), 250);
    await manager.transaction(async (inner) => {
      await archive.files.remove(Bill, { title: Like("no. 1%") }, { manager: inner });
      assert.deepEqual(await archive.keys(), keys);
    });
    assert.equal((await archive.keys()).length, await manager.count(Bill));
    assert.equal(await manager.countBy(Bill, { title: Like("no. 1%") }), 0);
  });

  it("lets listeners, subscribers and TypeORM's cascades see whole entities", async () => {
    const { manager } = archive.dataSource;
    const lines = [manager.create(Line, { text: "one" }), manager.create(Line, { text: "other" })];
    for (const line of lines) await archive.files.attach(line, "photo", Buffer.from("bytes"));
    const [bill] = await fill(1);
    await manager.save(Object.assign(bill!, { lines }));
    const seen: string[] = [];
    const subscriber: EntitySubscriberInterface<ObjectLiteral> = {
      beforeRemove: ({ entity }) => void seen.push(`before ${entity!.title ?? entity!.text}`),
      afterRemove: ({ entity }) => void seen.push(`after ${entity!.title ?? entity!.text}`),
    };
    await listening(subscriber, () => archive.files.remove(Bill, { lines: { text: "one" } }));
    assert.deepEqual(seen.sort(), [
      "after no. 0",
      "after one",
      "after other",
      "before no. 0",
      "before one",
      "before other",
    ]);
    assert.deepEqual(await archive.keys(), []);
    assert.equal(await manager.count(Line), 0);
  });

  it("refuses rows that are there again after they were removed, and takes nothing from them", async () => {
    await fill(2);
    const subscriber: EntitySubscriberInterface<Bill> = {
      listenTo: () => Bill,
      afterRemove: async ({ manager, databaseEntity: { id, title } }) =>
        void (await manager.insert(Bill, { id, title })),
    };
    await assert.rejects(
      listening(subscriber, () => archive.files.remove(Bill, ALL)),
      { code: "ERR_PRIVATE_FILE_NOT_REMOVED", message: /rows of Bill are still there after they were removed/ },
    );
    assert.equal(await archive.dataSource.manager.countBy(Bill, { scan: Not(IsNull()) }), 2);
    assert.equal((await archive.keys()).length, 2);
  });

  const skip = database.name === "MariaDB" && "no trigger keeps a row there without an error";
  it("refuses rows that a trigger keeps", { skip }, async (t) => {
    await fill(2);
    const { dataSource } = archive;
    const isPostgres = database.name === "PostgreSQL";
    const kept = isPostgres
      ? "CREATE FUNCTION keep() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql"
      : "SELECT 1";
    const action = isPostgres ? "EXECUTE FUNCTION keep()" : "WHEN OLD.title = 'no. 1' BEGIN SELECT RAISE(IGNORE); END";
    await dataSource.query(kept);
    await dataSource.query(
      `CREATE TRIGGER keeping BEFORE DELETE ON bill FOR EACH ROW ${isPostgres ? "WHEN (OLD.title = 'no. 1')" : ""} ${action}`,
    );
    t.after(() => dataSource.query(`DROP TRIGGER keeping ${isPostgres ? "ON bill" : ""}`));
    await assert.rejects(archive.files.remove(Bill, ALL), { code: "ERR_PRIVATE_FILE_NOT_REMOVED" });
    assert.equal(await dataSource.manager.count(Bill), 2);
    assert.equal((await archive.keys()).length, 2);
    assert.equal(await archive.files.remove(Bill, { title: "no. 0" }), 1);
    assert.equal((await archive.keys()).length, 1);
  });

  it("refuses unknown options, entities that it does not know, and those without a primary key", async () => {
    await fill(1);
    const refusals: [Promise<unknown>, RegExp][] = [
      [archive.files.remove(Bill, ALL, { chunk: 5 } as never), /unknown option "chunk"/],
      [archive.files.remove(Bill, ALL, archive.dataSource.manager as never), /options must be an object/],
      [archive.files.remove(BillTitle, { title: "no. 0" }), /BillTitle does not have a primary key/],
      [archive.files.remove(DataSource as never, ALL), /does not have this entity/],
      [archive.files.remove("Invoice", ALL), /does not have this entity/],
      [
        archive.files.remove(Bill, ALL, { manager: new DataSource(sqljsOptions).manager }),
        /belongs to another data source/,
      ],
    ];
    for (const [removing, message] of refusals) {
      await assert.rejects(removing, { code: "ERR_PRIVATE_FILE_CONFIGURATION", message });
    }
    assert.equal((await archive.keys()).length, 1);
    assert.equal(await archive.files.remove(Client, ALL), 0);
  });
});

const sqljsOptions: DataSourceOptions = { type: "sqljs" };
