import assert from "node:assert/strict";
import { Entity, Index, PrimaryGeneratedColumn, ViewColumn, ViewEntity } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres, sqljs } from "../support/databases.js";
import { afterEach, describe, it } from "../support/suite.js";
import { openSweepFixture, type SweepFixture } from "../support/sweep-fixture.js";
import { brief, checked } from "./checked.js";

@Entity()
class Bill {
  @PrimaryGeneratedColumn() id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "bills" })
  scan!: PrivateFile;
}

@ViewEntity({ name: "bill_view", expression: "SELECT id, scan FROM bill" })
class BillView {
  @ViewColumn() id!: number;
  @PrivateFileColumn({ length: 20, uploadTo: "bills" }) scan!: PrivateFile;
}

@ViewEntity({ name: "bill_count", expression: "SELECT scan, count(*) AS number FROM bill GROUP BY scan" })
class BillCount {
  @ViewColumn() number!: number;
  @PrivateFileColumn({ uploadTo: "bills" }) scan!: PrivateFile;
}

@ViewEntity({ name: "bill_copy", expression: "SELECT id, scan FROM bill", materialized: true })
class BillCopy {
  @Index()
  @ViewColumn()
  id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "bills" })
  scan!: PrivateFile;
}

@ViewEntity({ name: "bill_heap", expression: "SELECT id, scan FROM bill", materialized: true })
class BillHeap {
  @ViewColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "bills" }) scan!: PrivateFile;
}

describeOnEachDatabase("PrivateFiles.check of views", (database) => {
  let fixture: SweepFixture;
  afterEach(() => fixture.close());

  it("has nothing to say of a view that is there: neither of an index nor of a length", async () => {
    fixture = await openSweepFixture({ entities: [Bill, BillView, BillCount] }, database);
    assert.deepEqual(await checked(fixture), []);
  });

  it("finds a view that is missing, and one without the column", async () => {
    fixture = await openSweepFixture({ entities: [Bill, BillView, BillCount] }, database);
    for (const sql of [
      "DROP VIEW bill_view",
      "DROP VIEW bill_count",
      "CREATE VIEW bill_count AS SELECT id, count(*) AS number FROM bill GROUP BY id",
    ]) {
      await fixture.dataSource.query(sql);
    }
    const problems = await checked(fixture);
    assert.deepEqual(brief(problems), ["error TABLE_MISSING BillView.scan", "error COLUMN_MISSING BillCount.scan"]);
    assert.match(problems[0]!.message, /^the database has no view "bill_view"\. Run the migrations/);
    assert.match(problems[1]!.message, /^the view "bill_count" has no column "scan"\./);
  });
});

describeOnEachDatabase(
  "PrivateFiles.check of a view",
  (database) => {
    it("whose table is missing gives the database's own words, and does not say that the view is missing", async (t) => {
      const fixture = await openSweepFixture({ entities: [Bill, BillView] }, database);
      t.after(() => fixture.close());
      await fixture.dataSource.query("DROP TABLE bill");
      const problems = await checked(fixture);
      assert.deepEqual(brief(problems), ["error TABLE_MISSING Bill.scan", "warning NOT_CHECKED BillView.scan"]);
      assert.match(problems[1]!.message, database === mariadb ? /View .*bill_view/ : /no such table: main\.bill/);
    });
  },
  [sqljs, betterSqlite3, mariadb],
);

describe("PrivateFiles.check of PostgreSQL's materialized views", { skip: postgres.skip }, () => {
  let fixture: SweepFixture;
  afterEach(() => fixture.close());

  it("has nothing to say of one with an index, and warns of one without", async () => {
    fixture = await openSweepFixture({ entities: [Bill, BillCopy, BillHeap] }, postgres);
    assert.deepEqual(brief(await checked(fixture)), ["warning COLUMN_WITHOUT_INDEX BillHeap.scan"]);
  });

  it("finds one that is missing", async () => {
    fixture = await openSweepFixture({ entities: [Bill, BillCopy, BillHeap] }, postgres);
    await fixture.dataSource.query("DROP MATERIALIZED VIEW bill_heap");
    assert.deepEqual(brief(await checked(fixture)), ["error TABLE_MISSING BillHeap.scan"]);
  });
});
