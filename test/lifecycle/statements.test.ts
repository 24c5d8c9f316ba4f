import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { describeOnEachDatabase, type OpenDatabase, type TestDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { takesLong } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { keyIn } from "../support/sweep-fixture.js";

@Entity()
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

/** What a change of rows costs beyond TypeORM's own statements. */
interface Cost {
  change: string;
  /** How many rows it changes. */
  rows: number;
  /** SELECTs of what the rows have. */
  reads: number;
  /** SELECTs of the keys that rows still name, before their objects are deleted. */
  nets: number;
  make(dataSource: DataSource, papers: Paper[]): Promise<unknown>;
}

const costs: Cost[] = [
  {
    ...{ change: "`save`: a new row", rows: 0, reads: 0, nets: 0 },
    make: (dataSource) => dataSource.manager.save(withScan(dataSource, new Paper())),
  },
  {
    ...{ change: "`save`: 1,000 new rows", rows: 0, reads: 0, nets: 0 },
    make: (dataSource) =>
      dataSource.manager.save(Array.from({ length: 1000 }, () => withScan(dataSource, new Paper()))),
  },
  {
    ...{ change: "`save`: another property", rows: 1, reads: 0, nets: 0 },
    make: ({ manager }, papers) => manager.save(papers.map((paper) => Object.assign(paper, { title: "another" }))),
  },
  {
    ...{ change: "`save`: another file", rows: 1, reads: 1, nets: 1 },
    make: (dataSource, papers) => dataSource.manager.save(papers.map((paper) => withScan(dataSource, paper))),
  },
  {
    ...{ change: "`save`: another file for each of 1,000 rows", rows: 1000, reads: 1, nets: 2 },
    make: (dataSource, papers) => dataSource.manager.save(papers.map((paper) => withScan(dataSource, paper))),
  },
  {
    ...{ change: "`remove`: a row", rows: 1, reads: 1, nets: 1 },
    make: ({ manager }, papers) => manager.remove(papers),
  },
  {
    ...{ change: "`remove`: 1,000 rows", rows: 1000, reads: 1, nets: 2 },
    make: ({ manager }, papers) => manager.remove(papers),
  },
  {
    ...{ change: "`insert`, `update`, `delete`", rows: 1, reads: 0, nets: 0 },
    async make(dataSource, [paper]) {
      await dataSource.manager.insert(Paper, withScan(dataSource, new Paper()));
      await dataSource.manager.update(Paper, { id: paper!.id }, { scan: withScan(dataSource, new Paper()).scan });
      await dataSource.manager.delete(Paper, { id: paper!.id });
    },
  },
];

function withScan(dataSource: DataSource, paper: Paper): Paper {
  paper.scan = adoptedFile(dataSource, Paper, "scan", keyIn("scans"));
  return paper;
}

describeOnEachDatabase("The statements that a change costs beyond TypeORM's own", (database) => {
  const storage = new MemoryStorage();
  let followed: OpenDatabase;
  let plain: OpenDatabase;
  before(async () => {
    followed = await database.open({ entities: [Paper] });
    plain = await database.open({ entities: [Paper] });
    new PrivateFiles(followed.dataSource, { storage });
  });
  after(async () => {
    await followed.close();
    await plain.close();
  });

  it("are one more on PostgreSQL, once in each data source: whether tables have row-level security", async () => {
    const replacing = costs.find(({ change }) => change === "`save`: another file")!;
    const statements = await statementsOf(replacing, followed.dataSource);
    assert.equal(
      statements.filter((sql) => sql.includes("relrowsecurity")).length,
      database.name === "PostgreSQL" ? 1 : 0,
    );
  });

  for (const cost of costs) {
    const isMany = cost.change.includes("1,000");
    const tooMany = isMany && cost.change.startsWith("`remove`") && isOnSqlite(database);
    it(cost.change, { skip: tooMany ? "TypeORM's own DELETE fails on SQLite" : isMany && takesLong }, async (t) => {
      const deleting = t.mock.method(storage, "delete");
      const statements = await statementsOf(cost, followed.dataSource);
      const own = await statementsOf(cost, plain.dataSource);
      assert.equal(deleting.mock.callCount(), cost.nets > 0 ? cost.rows : 0);
      assert.deepEqual(
        {
          reads: statements.filter((sql) => /\bkey0\b/.test(sql)).length,
          nets: statements.filter((sql) => /^SELECT .* AS .key. FROM /.test(sql)).length,
          all: statements.length - own.length,
        },
        { reads: cost.reads, nets: cost.nets, all: cost.reads + cost.nets },
      );
    });
  }
});

describe("What a save costs, in docs/lifecycle.md,", () => {
  it("is what the tests say", async () => {
    const page = await readFile(resolve(import.meta.dirname, "../../../docs/lifecycle.md"), "utf8");
    const table = /^\| change \|.*\n(?:\|.*\n)+/m.exec(page)![0];
    assert.deepEqual(table.trim().split("\n"), [
      "| change | SELECTs of what the rows have | SELECTs of what rows still name |",
      "|---|---|---|",
      ...costs.map(({ change, reads, nets }) => `| ${change} | ${reads} | ${nets} |`),
    ]);
  });
});

/** Makes a change of rows that are there before, and returns its statements. */
async function statementsOf(cost: Cost, dataSource: DataSource): Promise<string[]> {
  const { manager } = dataSource;
  const papers = await manager.save(Array.from({ length: cost.rows }, () => withScan(dataSource, new Paper())));
  const statements: string[] = [];
  dataSource.subscribers.push({ beforeQuery: ({ query }) => void statements.push(query) });
  await cost.make(dataSource, papers);
  dataSource.subscribers.pop();
  return statements;
}

function isOnSqlite({ name }: TestDatabase): boolean {
  return name === "sql.js" || name === "better-sqlite3";
}
