import assert from "node:assert/strict";
import fc from "fast-check";
import type { Context } from "koa";
import {
  And,
  Between,
  Column,
  type DataSource,
  Entity,
  Equal,
  type FindOperator,
  ILike,
  In,
  IsNull,
  LessThan,
  Like,
  ManyToOne,
  MoreThanOrEqual,
  Not,
  type ObjectLiteral,
  Or,
  PrimaryColumn,
  type Relation,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { EntityLoader } from "../../src/download/load.js";
import { describeOnEachDatabase, type OpenDatabase } from "../support/databases.js";
import { LONGEST_WAIT } from "../support/eventually.js";
import { runs } from "../support/fuzz.js";
import { after, before, it } from "../support/suite.js";

@Entity()
class Tenant {
  @PrimaryColumn() id!: number;
  @Column() code!: string;
}

class Address {
  @Column({ type: "varchar", length: 20, nullable: true }) town!: string | null;
}

let where: unknown;

@Entity()
class Dossier {
  @PrimaryColumn() id!: number;
  @Column({ type: "int", nullable: true }) level!: number | null;
  @Column({ type: "varchar", length: 20, nullable: true }) name!: string | null;
  @Column() open!: boolean;
  @Column({ type: "varchar", length: 20, transformer: { to: lowerCase, from: lowerCase } }) label!: string;
  @Column(() => Address) address!: Address;
  @ManyToOne(() => Tenant, { nullable: true }) owner!: Relation<Tenant> | null;
  @PrivateFileColumn<Dossier>({ nullable: true, relations: { owner: true }, where: () => where as never })
  scan!: PrivateFile | null;
}

/** Leaves alone what is not a text, as transformers of applications do. */
function lowerCase(value: unknown): unknown {
  return typeof value === "string" ? value.toLowerCase() : value;
}

describeOnEachDatabase("The where of a column", (database) => {
  let opened: OpenDatabase;
  let rows: ObjectLiteral[];
  let load: (id: number) => Promise<ObjectLiteral | undefined>;

  before(async () => {
    opened = await database.open({ entities: [Tenant, Dossier] });
    rows = await saveRows(opened.dataSource);
    const [column] = [...ColumnSet.of(opened.dataSource)];
    const loader = new EntityLoader(opened.dataSource);
    load = (id) => loader.load({ column: column!, primaryKey: [String(id)], name: "x" }, {} as Context);
  });
  after(() => opened.close());

  const found = async (condition: unknown) => {
    where = condition;
    const ids: number[] = [];
    for (const { id } of rows) if (await load(id)) ids.push(id);
    return ids;
  };

  it("that is true means all rows", async () => {
    assert.deepEqual(
      await found(true),
      rows.map(({ id }) => id),
    );
  });

  it("that is false means no row", async () => {
    assert.deepEqual(await found(false), []);
  });

  it("may have values, operators, embedded entities, related entities and alternatives", async () => {
    const tenant = Object.assign(new Tenant(), { id: 1, code: "other" });
    assert.deepEqual(await found({ level: 0 }), [1]);
    assert.deepEqual(await found({ level: In([0, 7]), name: Not(IsNull()) }), [1, 3]);
    assert.deepEqual(await found([{ address: { town: "Bern" } }, { owner: { code: "b" } }]), [1, 2]);
    assert.deepEqual(await found({ owner: tenant }), [1]);
    assert.deepEqual(await found({ owner: In([1, 2]), open: true }), [1]);
    assert.deepEqual(await found({ label: "ABC" }), [1]);
  });

  it("may be the same object in every request: the values of its operators are transformed once", async () => {
    const times: unknown[] = [];
    const condition = { label: Or(Equal("ABC"), In(["DEF"])) };
    for (let time = 0; time < 3; time++) times.push(await found(condition));
    assert.deepEqual(times, Array(3).fill(times[0]));
    assert.equal((condition.label.value as FindOperator<string>[])[0]!.value, "ABC");
  });

  const mistakes: [string, unknown][] = [
    ["nothing", undefined],
    ["null", null],
    ["a text", "level"],
    ["an empty object", {}],
    ["an empty array", []],
    ["an array with an empty member", [{ level: 0 }, {}]],
    ["an array with a hole", Object.assign(new Array(2), { 0: { level: 0 } })],
    ["an array with a property", Object.assign([{ level: 0 }], { name: "abc" })],
    ["true among alternatives", [true]],
    ["a promise", Promise.resolve({ level: 0 })],
    ["a promise with properties", Object.assign(Promise.resolve(), { level: 0 })],
    ["a Map", new Map([["level", 0]])],
    ["an operator", Not(IsNull())],
    ["an inherited property", Object.assign(Object.create({ name: "nobody" }), { level: 0 })],
    [
      "a getter of a class",
      Object.assign(
        Object.create(
          class {
            get name() {
              return "nobody";
            }
          }.prototype,
        ),
        { level: 0 },
      ),
    ],
    ["a hidden property", Object.defineProperty({ level: 0 }, "name", { value: "nobody" })],
    ["a symbol as a property", { level: 0, [Symbol("name")]: "nobody" }],
    ["an empty related entity", { owner: {} }],
    ["a number for a related entity", { owner: 0 }],
    ["true for a related entity", { owner: true }],
    ["an entity without a primary key", { owner: new Tenant() }],
    ["an entity whose primary key is NaN", { owner: Object.assign(new Tenant(), { id: Number.NaN }) }],
    ["an empty embedded entity", { address: {} }],
    ["undefined in an embedded entity", { address: { town: undefined } }],
    ["an unknown property", { levle: 0 }],
    ["undefined", { level: undefined }],
    ["null as a value", { level: null }],
    ["NaN", { level: Number.NaN }],
    ["a function", { level: () => 0 }],
    ["a symbol", { name: Symbol("abc") }],
    ["a boolean for a number", { level: false }],
    ["a boolean for a text", { name: false }],
    ["bytes for a text", { name: Not(Buffer.from("abc")) }],
    ["bytes for a number", { level: Not(Buffer.from("7")) }],
    ["a text for a boolean", { open: "0x0" }],
    ["a text for a boolean in a range", { open: Between(false, "0x0" as never) }],
    ["an object for a column", { level: { level: 0 } }],
    ["undefined in an operator", { level: Not(undefined) }],
    ["undefined in a list", { level: In([0, undefined]) }],
    ["a text for a list", { name: In("abc" as never) }],
    ["no operators to combine", { level: And() }],
    ["an object in an operator of a relation", { owner: Not({} as never) }],
  ];
  for (const [title, mistake] of mistakes) {
    it(`lets no row through, and fails the request, when it is or has ${title}`, async () => {
      where = mistake;
      await assert.rejects(load(1), { code: "ERR_PRIVATE_FILE_FAILED" });
    });
  }

  it("compares a column with no object that the driver would make SQL of, whatever its transformer returns", async () => {
    where = { label: { label: 1 } };
    const loaded = await load(1).catch(() => undefined);
    assert.equal(loaded, undefined);
  });

  it("never lets a row through that the same condition would not let through in JavaScript", async () => {
    const results = new Map<string, number>();
    const check = async (condition: unknown) => {
      where = condition;
      for (const row of rows) {
        const loaded = await load(row.id).catch(() => "refused");
        const outcome = loaded === "refused" ? "refused" : loaded ? "found" : "not found";
        results.set(outcome, (results.get(outcome) ?? 0) + 1);
        if (outcome === "found") assert.match(String(matches(condition, row)), /^(?:true|either)$/, `row ${row.id}`);
      }
    };
    await fc.assert(fc.asyncProperty(conditions, check), {
      ...runs(150),
      timeout: LONGEST_WAIT,
      includeErrorInReport: true,
    });
    assert.equal(results.size, 3, "some are refused, some find a row, some do not");
  });
});

const oddValues = [
  ...[undefined, null, Number.NaN, "", {}, [], new Map(), Promise.resolve(1), () => 1, new Date(Number.NaN)],
  ...[{ level: 1 }, { id: 1 }, { name: "abc" }, { label: 1 }, Object.create({ level: 1 }), [1], [[]], Symbol("x")],
  ...[
    new Set([1]),
    Buffer.from("abc"),
    "1abc",
    "abc ",
    "0x0",
    " 1",
    "1e0",
    true,
    false,
    -0,
    0n,
    Number.POSITIVE_INFINITY,
  ],
];
const value = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 7, "0", "abc", "Bern", "a", 1n),
  fc.constantFrom<unknown>(...oddValues),
);
const ordered = fc.oneof(
  value.map((one) => LessThan(one)),
  value.map((one) => MoreThanOrEqual(one)),
  fc.tuple(value, value).map(([from, to]) => Between(from, to)),
);
const unordered = fc.oneof(
  fc.constant(IsNull()),
  value.map((one) => Equal(one)),
  value.map((one) => Like(one as string)),
  value.map((one) => ILike(one as string)),
  value.map((one) => In(one as unknown[])),
  fc.array(value, { maxLength: 3 }).map((list) => In(list)),
);
const leafOf = (operator: fc.Arbitrary<unknown>) =>
  fc.oneof(
    value,
    fc.letrec<{ operator: unknown }>((tie) => ({
      operator: fc.oneof(
        { depthSize: "small" },
        operator,
        fc.oneof(value, tie("operator")).map((one) => Not(one)),
        fc.array(tie("operator"), { maxLength: 2 }).map((list) => And(...(list as FindOperator<unknown>[]))),
        fc.array(tie("operator"), { maxLength: 2 }).map((list) => Or(...(list as FindOperator<unknown>[]))),
      ),
    })).operator,
  );
/** The order of texts is that of a collation. */
const leaf = leafOf(unordered);
const numberLeaf = leafOf(fc.oneof(ordered, unordered));
const tenant = fc.oneof(leaf, fc.record({ id: numberLeaf, code: leaf }, { requiredKeys: [] }));
const address = fc.oneof(leaf, fc.record({ town: leaf }, { requiredKeys: [] }));
const condition = fc
  .record(
    { level: numberLeaf, name: leaf, open: numberLeaf, label: leaf, owner: tenant, address, levle: value },
    { requiredKeys: [] },
  )
  .filter((one) => Object.keys(one).length < 3);
/** What applications ask, so that some rows are found. */
const sensible = fc.record(
  { level: fc.constantFrom(0, 1, In([1, 7]), Not(0)), name: fc.constantFrom("abc", "0", Not(IsNull()), IsNull()) },
  { requiredKeys: [] },
);
const conditions = fc.oneof({ weight: 8, arbitrary: condition }, sensible, fc.array(condition, { maxLength: 3 }), leaf);

/** What the databases say; "either" where their collations differ. */
type Answer = boolean | "either" | null;

/** Whether a row matches a condition; `null` where SQL can't say, or where the condition makes no sense. */
function matches(condition: unknown, row: unknown): Answer {
  if (condition === true) return true;
  if (Array.isArray(condition)) {
    return condition.length > 0 && some(condition.map((one) => matches(one, row)));
  }
  return matchesAll(condition, row);
}

function matchesAll(condition: unknown, row: unknown): Answer {
  if (typeof condition !== "object" || condition === null || typeof row !== "object" || row === null) return null;
  const entries = Object.entries(condition);
  if (entries.length === 0) return null;
  return every(entries.map(([name, one]) => (name in row ? property(one, propertyOf(name, row)) : null)));
}

/** SQL joins a row without a tenant with a tenant of which everything is NULL. */
const NO_TENANT = { id: null, code: null };

function propertyOf(name: string, row: ObjectLiteral): unknown {
  return name === "owner" ? (row.owner ?? NO_TENANT) : row[name];
}

function property(wanted: unknown, stored: unknown): Answer {
  if (isOperator(wanted))
    return operation(wanted, stored instanceof Tenant || stored === NO_TENANT ? (stored as Tenant).id : stored);
  if (stored instanceof Tenant || stored instanceof Address || stored === NO_TENANT)
    return matches(wanted === true ? null : wanted, stored);
  return equal(wanted, stored);
}

function operation({ type, child, value }: FindOperator<unknown>, stored: unknown): Answer {
  const list = (each: (one: unknown) => Answer) => (Array.isArray(value) ? value.map(each) : [null]);
  const one = (test: (a: string, b: string) => boolean) =>
    stored === null || equal(value, value) === null ? null : test(text(stored), text(value));
  switch (type) {
    case "isNull":
      return stored === null;
    case "equal":
      return equal(value, stored);
    case "not":
      return negated(child ? operation(child, stored) : equal(value, stored));
    case "in":
      return some(list((each) => equal(each, stored)));
    case "and":
      return every(list((each) => operation(each as FindOperator<unknown>, stored)));
    case "or":
      return some(list((each) => operation(each as FindOperator<unknown>, stored)));
    case "like":
    case "ilike":
      return one((a, b) => a.toLowerCase() === b.toLowerCase());
    case "lessThan":
      return one((a, b) => precedes(a, b));
    case "moreThanOrEqual":
      return one((a, b) => !precedes(a, b));
    case "between":
      return stored === null || list((each) => equal(each, each)).includes(null)
        ? null
        : every([
            !precedes(text(stored), text((value as unknown[])[0])),
            !precedes(text((value as unknown[])[1]), text(stored)),
          ]);
    default:
      throw new Error(type);
  }
}

/** By number, where both are numbers, else by text, as the databases order it. */
function precedes(one: string, other: string): boolean {
  const [a, b] = [number(one), number(other)];
  return a !== undefined && b !== undefined ? a < b : one.toLowerCase() < other.toLowerCase();
}

/** As the databases compare texts and numbers: texts without their case, and without spaces at the end. */
function equal(wanted: unknown, stored: unknown): Answer {
  const isValue = ["string", "number", "bigint", "boolean"].includes(typeof wanted) && !Number.isNaN(wanted);
  if (!(isValue || Buffer.isBuffer(wanted)) || stored === null || stored === undefined) return null;
  const [a, b] = [number(wanted), number(stored)];
  if (typeof stored === "number" || typeof stored === "boolean") return a !== undefined && a === b;
  if (String(wanted) === String(stored)) return true;
  return String(wanted).trimEnd().toLowerCase() === String(stored).toLowerCase() && "either";
}

function text(value: unknown): string {
  return String(typeof value === "boolean" ? Number(value) : value);
}

function number(value: unknown): number | undefined {
  if (typeof value === "boolean") return Number(value);
  const text = String(value).trim();
  return text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

function every(results: Answer[]): Answer {
  if (results.includes(false)) return false;
  if (results.includes(null)) return null;
  return results.includes("either") ? "either" : true;
}

function some(results: Answer[]): Answer {
  return negated(every(results.map(negated)));
}

function negated(result: Answer): Answer {
  return typeof result === "boolean" ? !result : result;
}

function isOperator(value: unknown): value is FindOperator<unknown> {
  return typeof value === "object" && value !== null && "@instanceof" in value;
}

async function saveRows({ manager }: DataSource): Promise<ObjectLiteral[]> {
  const [a, b] = await manager.save([
    manager.create(Tenant, { id: 1, code: "a" }),
    manager.create(Tenant, { id: 2, code: "b" }),
  ]);
  const none = { level: null, name: null, open: false, label: "x", address: { town: null }, owner: null };
  return manager.save(
    [
      { ...none, id: 1, level: 0, name: "abc", open: true, label: "abc", address: { town: "Bern" }, owner: a! },
      { ...none, id: 2, level: 1, name: "0", address: { town: "0" }, owner: b! },
      { ...none, id: 3, level: 7, name: "1abc" },
      { ...none, id: 4 },
    ].map((row) => manager.create(Dossier, row)),
  );
}
