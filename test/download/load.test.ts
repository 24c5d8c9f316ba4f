import assert from "node:assert/strict";
import type { Context } from "koa";
import {
  AfterLoad,
  type BeforeQueryEvent,
  ChildEntity,
  Column,
  DataSource,
  Entity,
  type EntitySubscriberInterface,
  EventSubscriber,
  JoinTable,
  ManyToMany,
  ManyToOne,
  type ObjectLiteral,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  RelationId,
  TableInheritance,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { EntityLoader } from "../../src/download/load.js";
import { describeOnEachDatabase, type OpenDatabase } from "../support/databases.js";
import { after, before, it } from "../support/suite.js";

@Entity()
class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
class Tag {
  @PrimaryColumn() name!: string;
}

class Address {
  @Column({ nullable: true, type: String }) street!: string | null;
  @Column({ default: "Bern" }) town!: string;
}

@Entity()
@TableInheritance({ column: { type: String, name: "kind" } })
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({
    transformer: { to: (value: string[]) => value.join("|"), from: (text: string) => text.split("|") },
    type: String,
  })
  lines!: string[];
  @Column({ type: "simple-json" }) details!: object;
  @Column({ select: false, default: "hidden" }) secret!: string;
  @Column(() => Address) to!: Address;
  @ManyToOne(() => Owner, { eager: true }) owner!: Relation<Owner>;
  @ManyToMany(() => Tag) @JoinTable() tags!: Relation<Tag[]>;
  @RelationId((letter: Letter) => letter.tags) tagNames!: string[];
  @OneToMany(
    () => Stamp,
    (stamp) => stamp.letter,
  )
  stamps!: Relation<Stamp[]>;
  @PrivateFileColumn<Letter>({ nullable: true, relations: { stamps: true } }) scan!: PrivateFile | null;
  loaded = 0;
  @AfterLoad() count() {
    this.loaded++;
  }
}

@ChildEntity()
class Registered extends Letter {
  @Column({ nullable: true, type: Number }) number!: number | null;
}

@Entity()
class Stamp {
  @PrimaryColumn() country!: string;
  @PrimaryColumn() number!: number;
  @ManyToOne(
    () => Letter,
    (letter) => letter.stamps,
  )
  letter!: Relation<Letter>;
  @PrivateFileColumn<Stamp>({ nullable: true, select: false, relations: { letter: true } })
  picture!: PrivateFile | null;
}

const statements: { query: string; parameters?: unknown[] }[] = [];

@EventSubscriber()
class Statements implements EntitySubscriberInterface {
  beforeQuery({ query, parameters }: BeforeQueryEvent): void {
    statements.push({ query, parameters: parameters as unknown[] });
  }
}

describeOnEachDatabase("EntityLoader", (database) => {
  let opened: OpenDatabase;
  let dataSource: DataSource;
  let letters: Letter[];
  const none = {} as Context;

  before(async () => {
    opened = await database.open({ entities: [Owner, Tag, Letter, Registered, Stamp], subscribers: [Statements] });
    dataSource = opened.dataSource;
    const { manager } = dataSource;
    const owner = await manager.save(manager.create(Owner, { name: "alice" }));
    const tags = await manager.save(["late", "paid"].map((name) => manager.create(Tag, { name })));
    const common = { lines: ["Dear", "Bob"], details: { pages: [1, 2] }, owner, tags, to: { street: null } };
    letters = [
      await manager.save(manager.create(Letter, { ...common })),
      await manager.save(manager.create(Registered, { ...common, tags: [tags[0]!], number: 7 })),
      await manager.save(manager.create(Letter, { ...common, tags: [] })),
    ];
    await manager.save([1, 2].map((number) => manager.create(Stamp, { country: "CH", number, letter: letters[0]! })));
    await manager.query(
      "UPDATE letter SET scan = 'scans/x.pdf'".replaceAll(/letter|scan(?= )/g, (name) =>
        dataSource.driver.escape(name),
      ),
    );
  });
  after(() => opened.close());

  function columnOf(target: unknown) {
    return [...ColumnSet.of(dataSource)].find(({ entity }) => entity.target === target)!;
  }

  function found(letter: Letter): Promise<ObjectLiteral | null> {
    return dataSource.manager.findOne(letter.constructor as typeof Letter, {
      where: { id: letter.id },
      relations: { stamps: true },
    });
  }

  it("gives what findOne gives, each time: transformers, embedded and inherited columns, relations and their ids, listeners", async () => {
    const loader = new EntityLoader(dataSource);
    for (let times = 0; times < 3; times++) {
      for (const letter of letters) {
        const loaded = await loader.load(
          { column: columnOf(letter.constructor), primaryKey: [String(letter.id)], name: "x.pdf" },
          none,
        );
        assert.deepStrictEqual(loaded, await found(letter));
        assert.deepEqual([loaded?.loaded, loaded?.secret, loaded?.tagNames.length], [1, undefined, letter.tags.length]);
      }
    }
  });

  it("gives what it gives one after the other to many who ask at once, too", async () => {
    const loader = new EntityLoader(dataSource);
    const asked = Array.from({ length: 30 }, (_, n) => letters[n % 3]!);
    const loaded = await Promise.all(
      asked.map((letter) =>
        loader.load({ column: columnOf(letter.constructor), primaryKey: [String(letter.id)], name: "x.pdf" }, none),
      ),
    );
    assert.deepStrictEqual(loaded, await Promise.all(asked.map(found)));
  });

  it("finds a row by each column of its key, with a file column that others do not see", async () => {
    const loader = new EntityLoader(dataSource);
    const column = columnOf(Stamp);
    const loaded = await loader.load({ column, primaryKey: ["CH", "2"], name: "x.pdf" }, none);
    assert.deepEqual(
      [loaded?.country, loaded?.number, loaded?.letter.id, loaded?.picture],
      ["CH", 2, letters[0]!.id, null],
    );
    for (const primaryKey of [
      ["CH", "3"],
      ["2", "CH"],
      ["DE", "2"],
    ]) {
      if (primaryKey[1] !== "CH")
        assert.equal(await loader.load({ column, primaryKey, name: "x.pdf" }, none), undefined);
    }
  });

  it("leaves nothing behind that the next one would do again", async () => {
    const loader = new EntityLoader(dataSource);
    const location = { column: columnOf(Letter), primaryKey: [String(letters[0]!.id)], name: "x.pdf" };
    const counts: number[] = [];
    for (let times = 0; times < 4; times++) {
      statements.length = 0;
      await loader.load(location, none);
      counts.push(statements.length);
    }
    assert.deepEqual(counts, Array(4).fill(counts[0]));
  });

  it("sends the same text for each key, and the key beside it", async () => {
    const loader = new EntityLoader(dataSource);
    const seen = new Set<string>();
    for (const key of [letters[0]!.id, letters[1]!.id, 4711]) {
      statements.length = 0;
      await loader.load({ column: columnOf(Registered), primaryKey: [String(key)], name: "x.pdf" }, none);
      const [{ query, parameters }] = statements as [(typeof statements)[0]];
      seen.add(query);
      assert.ok(parameters!.some((value) => String(value) === String(key)));
      assert.ok(!query.includes("4711"));
    }
    assert.equal(seen.size, 1);
  });

  it("keeps no transaction where another package binds queries to the transaction of a request", async (t) => {
    const expected = await found(letters[0]!);
    const runner = dataSource.createQueryRunner();
    const { createQueryBuilder } = DataSource.prototype;
    const bound = (target: never, alias: string) =>
      Reflect.apply(createQueryBuilder, dataSource, [target, alias, runner]);
    t.mock.method(dataSource, "createQueryBuilder", bound as typeof createQueryBuilder);
    const loader = new EntityLoader(dataSource);
    const load = () =>
      loader.load({ column: columnOf(Letter), primaryKey: [String(letters[0]!.id)], name: "x.pdf" }, none);
    await load();
    await runner.release();
    assert.deepStrictEqual(await load(), expected);
  });

  it("leaves relations to queries of their own where the data source says so", async () => {
    Object.assign(dataSource.options, { relationLoadStrategy: "query" });
    try {
      const loader = new EntityLoader(dataSource);
      for (const letter of [...letters, ...letters]) {
        const loaded = await loader.load(
          { column: columnOf(letter.constructor), primaryKey: [String(letter.id)], name: "x.pdf" },
          none,
        );
        assert.deepStrictEqual(loaded, await found(letter));
      }
    } finally {
      Object.assign(dataSource.options, { relationLoadStrategy: undefined });
    }
  });
});
