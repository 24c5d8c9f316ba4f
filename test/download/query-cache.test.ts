import assert from "node:assert/strict";
import type { Context } from "koa";
import {
  type DataSource,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  type ObjectLiteral,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  RelationId,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { EntityLoader } from "../../src/download/load.js";
import { describeOnEachDatabase, reopen, type TestDatabase } from "../support/databases.js";
import { it, type TestContext } from "../support/suite.js";

@Entity()
class Person {
  @PrimaryColumn() name!: string;
  @OneToMany(
    () => Badge,
    (badge) => badge.person,
    { eager: true },
  )
  badges!: Relation<Badge[]>;
}

@Entity()
class Badge {
  @PrimaryColumn() number!: number;
  @ManyToOne(
    () => Person,
    (person) => person.badges,
  )
  person!: Relation<Person>;
}

@Entity()
class Team {
  @PrimaryColumn() name!: string;
  @ManyToMany(() => Person, { lazy: true }) @JoinTable() members!: Promise<Person[]>;
}

@Entity()
class Plan {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToMany(() => Person) @JoinTable() readers!: Relation<Person[]>;
  @RelationId((plan: Plan) => plan.readers) readerNames!: string[];
  @ManyToMany(() => Person, { eager: true }) @JoinTable({ name: "plan_editors" }) editors!: Relation<Person[]>;
  @ManyToOne(() => Team, { lazy: true }) team!: Promise<Team>;
  @PrivateFileColumn<Plan>({ nullable: true, relations: { readers: true } }) scan!: PrivateFile | null;
}

/** How the rule of a column may ask who belongs to a plan. */
const RULES: [string, "join" | "query", (plan: Plan) => string[] | Promise<string[]>][] = [
  ["reads a @RelationId", "join", (plan) => plan.readerNames],
  ["reads a @RelationId beside relations that are queried", "query", (plan) => plan.readerNames],
  ["reads a relation that is queried", "query", (plan) => plan.readers.map(({ name }) => name)],
  ["reads an eager relation that is queried", "query", (plan) => plan.editors.map(({ name }) => name)],
  [
    "reads an eager relation of a relation that is queried",
    "query",
    (plan) => plan.readers.flatMap(({ name, badges }) => (badges.length > 0 ? [name] : [])),
  ],
  ["awaits a lazy relation of a lazy relation", "join", async (plan) => names(await (await plan.team).members)],
  ["awaits a lazy relation that is queried", "query", async (plan) => names(await (await plan.team).members)],
];

describeOnEachDatabase("A data source that caches the results of all queries", (database) => {
  for (const [title, relationLoadStrategy, belonging] of RULES) {
    it(`has no say in a revoked permission, where the rule ${title}`, async (t) => {
      const dataSource = await withPlan(t, database, { relationLoadStrategy });
      const loader = new EntityLoader(dataSource);
      const allowed = async () => belonging((await load(dataSource, loader)) as Plan);
      assert.deepEqual(await allowed(), ["alice"]);
      await revoke(dataSource);
      assert.deepEqual(await allowed(), []);
    });
  }

  it("keeps its cache for the application's own queries", async (t) => {
    const dataSource = await withPlan(t, database);
    const { queryResultCache, relationLoader, manager } = dataSource;
    const find = () => manager.find(Badge);
    assert.equal((await find()).length, 1);
    await load(dataSource, new EntityLoader(dataSource));
    await revoke(dataSource);
    assert.equal((await find()).length, 1);
    assert.deepEqual([dataSource.queryResultCache, dataSource.relationLoader], [queryResultCache, relationLoader]);
    const runner = dataSource.createQueryRunner();
    const { dataSource: known = runner.manager.connection } = runner.manager as { dataSource?: DataSource };
    assert.equal(known, dataSource);
    await runner.release();
  });
});

function names(people: Person[]): string[] {
  return people.map(({ name }) => name);
}

function load(dataSource: DataSource, loader: EntityLoader): Promise<ObjectLiteral | undefined> {
  const [column] = [...ColumnSet.of(dataSource)];
  return loader.load({ column: column!, primaryKey: ["1"], name: "x.pdf" }, {} as Context);
}

/** A plan that alice may read, in a data source that caches the results of all queries. */
async function withPlan(t: TestContext, database: TestDatabase, options: object = {}): Promise<DataSource> {
  const opened = await database.open({ entities: [Person, Badge, Team, Plan] });
  const { manager } = opened.dataSource;
  await manager.insert(Person, { name: "alice" });
  await manager.insert(Badge, { number: 1, person: { name: "alice" } });
  await manager.insert(Team, { name: "red" });
  await manager.insert(Plan, { team: { name: "red" } as never });
  const add = (entity: typeof Team | typeof Plan, id: unknown, relation: string) =>
    manager.createQueryBuilder().relation(entity, relation).of(id).add("alice");
  await add(Team, "red", "members");
  await add(Plan, 1, "readers");
  await add(Plan, 1, "editors");
  const cache = { alwaysEnabled: true, duration: 60_000 };
  const dataSource = await reopen(opened.dataSource, { cache, ...options });
  t.after(async () => {
    await dataSource.destroy();
    await opened.close();
  });
  await dataSource.synchronize();
  return dataSource;
}

/** As another process does it: the cache is not told. */
async function revoke({ driver, manager, entityMetadatas }: DataSource): Promise<void> {
  const tables = entityMetadatas.filter(({ isJunction, name }) => isJunction || name === "Badge");
  for (const { tableName } of tables) await manager.query(`DELETE FROM ${driver.escape(tableName)}`);
}
