import assert from "node:assert/strict";
import { type EntityManager, type EntityTarget, In, IsNull, Like, MoreThan, Not, type ObjectLiteral } from "typeorm";
import type { RemoveCriteria } from "typeorm-private-files";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase } from "../../support/databases.js";
import { before, beforeEach, it } from "../../support/suite.js";
import { deleteAll, needsTypeOrm } from "../../support/typeorm.js";
import {
  Account,
  Bill,
  Book,
  Certificate,
  Client,
  Day,
  documents,
  House,
  Line,
  Novel,
  Package,
  Work,
} from "./documents.js";

interface Titled extends ObjectLiteral {
  title: string;
}

/** Criteria, and the titles of the rows that they match. */
interface Case {
  title: string;
  entity: EntityTarget<Titled>;
  criteria: RemoveCriteria<ObjectLiteral>;
  matched: string[];
  /** Whether `delete` does not take them, or finds no row by them. */
  isOnlyHere?: boolean;
}

const cases: Case[] = [
  { title: "a primary key", entity: Bill, criteria: 1, matched: ["first"] },
  { title: "several primary keys", entity: Bill, criteria: [1, 2, 99], matched: ["first", "second"] },
  { title: "a primary key that no row has", entity: Bill, criteria: 99, matched: [] },
  { title: "a property", entity: Bill, criteria: { title: "first" }, matched: ["first"] },
  { title: "two properties", entity: Bill, criteria: { id: 1, title: "second" }, matched: [] },
  {
    ...{ title: "alternatives", entity: Bill, criteria: [{ id: 1 }, { title: "third" }], matched: ["first", "third"] },
    // TypeORM before 0.3.23 deletes by the first one alone.
    isOnlyHere: needsTypeOrm("0.3.23") !== false,
  },
  { title: "an operator", entity: Bill, criteria: { title: Like("%ir%") }, matched: ["first", "third"] },
  {
    title: "an operator in an operator",
    entity: Bill,
    criteria: { id: Not(In([1, 2])) },
    matched: ["third", "fourth"],
  },
  { title: "no value of several", entity: Bill, criteria: { id: In([]) }, matched: [] },
  { title: "NULL", entity: Bill, criteria: { client: IsNull() }, matched: ["fourth"] },
  {
    ...{ title: "all rows", entity: Bill, criteria: { id: Not(IsNull()) } },
    matched: ["first", "second", "third", "fourth"],
  },
  { title: "a soft-deleted row", entity: Bill, criteria: { title: "second" }, matched: ["second"] },
  { title: "a relation's primary key", entity: Bill, criteria: { client: { id: 1 } }, matched: ["first", "second"] },
  { title: "a relation to a soft-deleted row", entity: Bill, criteria: { client: { id: 2 } }, matched: ["third"] },
  {
    ...{ title: "a related entity", entity: Bill, matched: ["third"] },
    criteria: { client: Object.assign(new Client(), { id: 2, title: "renamed meanwhile", deletedAt: null }) },
  },
  {
    ...{ title: "a relation's property", entity: Bill, criteria: { client: { title: "Ann" } }, isOnlyHere: true },
    matched: ["first", "second"],
  },
  {
    ...{ title: "a relation to many rows", entity: Bill, criteria: { lines: { text: "line" } }, isOnlyHere: true },
    matched: ["first"],
  },
  {
    ...{ title: "alternatives of a relation", entity: Bill, isOnlyHere: true },
    ...{ criteria: { client: [{ title: "Ann" }, { title: "Bob" }] }, matched: ["first", "second", "third"] },
  },
  {
    ...{ title: "a composite primary key", entity: Package, criteria: { country: "NL", number: 7 } },
    matched: ["first"],
  },
  {
    ...{ title: "several composite primary keys", entity: Package, matched: ["first", "third"] },
    criteria: [
      { country: "NL", number: 7 },
      { country: "BE", number: 7 },
    ],
  },
  { title: "an embedded property", entity: House, criteria: { address: { city: "Ghent" } }, matched: ["first"] },
  { title: "a primary key that is not selected", entity: House, criteria: "b", matched: ["second"] },
  { title: "a primary key that is a relation's", entity: Account, criteria: 1, matched: ["first"] },
  {
    ...{ title: "a date", entity: Day, criteria: new Date("2026-01-02T03:04:05Z"), matched: ["second"] },
    isOnlyHere: true,
  },
  {
    ...{ title: "several dates", entity: Day, matched: ["first", "second"], isOnlyHere: true },
    criteria: [new Date("2026-01-01T03:04:05Z"), new Date("2026-01-02T03:04:05Z")],
  },
  {
    ...{ title: "a primary key with a transformer", entity: Certificate, matched: ["second"] },
    criteria: { url: new URL("https://example.com/2") },
  },
  { title: "a parent of a table", entity: Work, criteria: { title: Like("%") }, matched: ["work", "book", "novel"] },
  { title: "a child that has children", entity: Book, criteria: { title: Like("%") }, matched: ["book", "novel"] },
  { title: "a child", entity: Novel, criteria: { title: Like("%") }, matched: ["novel"] },
  { title: "an entity without files", entity: Client, criteria: { title: "Cid" }, matched: ["Cid"] },
];

describeOnEachDatabase("files.remove, given criteria,", (database) => {
  const archive = archiveInMemoryOfSuite(database, { entities: documents }, documents);
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });
  beforeEach(() => fill(manager, archive.files.attach.bind(archive.files)));

  for (const { title, entity, criteria, matched, isOnlyHere } of cases) {
    it(`removes the rows that delete does, and their files: ${title}`, async () => {
      const before = await titles(manager, entity);
      if (!isOnlyHere) assert.deepEqual(await deleted(manager, entity, criteria), matched.toSorted());
      assert.equal(await archive.files.remove(entity, criteria), matched.length);
      const left = await titles(manager, entity);
      assert.deepEqual(
        left,
        before.filter((one) => !matched.includes(one)),
      );
      const report = await archive.files.sweep({ olderThan: 0 });
      assert.deepEqual([report.orphans, report.missing], [0, 0]);
    });
  }

  it("uses the values of operators as they are on each page, whatever transforms them", async () => {
    await manager.delete(Certificate, { title: Like("%") });
    const urls = Array.from({ length: 150 }, (_, index) => new URL(`https://example.com/page/${index}`));
    await manager.insert(
      Certificate,
      urls.map((url) => ({ url, title: url.pathname })),
    );
    assert.equal(await archive.files.remove(Certificate, { url: In(urls) }), 150);
  });

  it("removes what a count of related rows finds", async () => {
    assert.equal(await archive.files.remove(Bill, { lines: MoreThan(1) }), 1);
    assert.deepEqual(await titles(manager, Bill), ["fourth", "second", "third"]);
  });
});

/** The titles of the rows that `delete` deletes. */
async function deleted(manager: EntityManager, entity: EntityTarget<Titled>, criteria: unknown): Promise<string[]> {
  const before = await titles(manager, entity);
  const rollBack = new Error("roll back");
  let after: string[] = [];
  const transaction = manager.transaction(async (inner) => {
    await deleteAll(inner, Line);
    await inner.delete(entity, criteria);
    after = await titles(inner, entity);
    throw rollBack;
  });
  await assert.rejects(transaction, (error) => error === rollBack);
  return before.filter((title) => !after.includes(title));
}

async function titles(manager: EntityManager, entity: EntityTarget<Titled>): Promise<string[]> {
  const rows = await manager.find(entity, { withDeleted: true, select: { title: true }, loadEagerRelations: false });
  return rows.map(({ title }) => title).sort();
}

/** Two or more rows of each entity, with a file in each column. */
async function fill(
  manager: EntityManager,
  attach: (entity: ObjectLiteral, property: never, source: Buffer) => Promise<unknown>,
): Promise<void> {
  const saved = async (entity: EntityTarget<ObjectLiteral>, values: ObjectLiteral, ...properties: string[]) => {
    const row = manager.create(entity, values);
    for (const property of properties) await attach(row, property as never, Buffer.from("bytes"));
    return manager.save(row);
  };
  const [ann, bob] = [
    await saved(Client, { id: 1, title: "Ann" }),
    await saved(Client, { id: 2, title: "Bob" }),
    await saved(Client, { id: 3, title: "Cid" }),
  ];
  const lines = [await saved(Line, { text: "line" }, "photo"), await saved(Line, { text: "line" }, "photo")];
  await saved(Bill, { id: 1, title: "first", client: ann, lines }, "scan");
  const second = await saved(Bill, { id: 2, title: "second", client: ann }, "scan");
  await saved(Bill, { id: 3, title: "third", client: bob }, "scan");
  await saved(Bill, { id: 4, title: "fourth" }, "scan");
  await manager.softRemove([second, bob]);
  await saved(Account, { clientId: 1, title: "first" }, "statement");
  await saved(Account, { clientId: 2, title: "second" }, "statement");
  await saved(House, { id: "a", title: "first", address: { city: "Ghent" } }, "address.plan");
  await saved(House, { id: "b", title: "second", address: { city: "Breda" } }, "address.plan");
  await saved(Package, { country: "NL", number: 7, title: "first" }, "label");
  await saved(Package, { country: "NL", number: 8, title: "second" }, "label");
  await saved(Package, { country: "BE", number: 7, title: "third" }, "label");
  for (const [index, title] of ["first", "second", "third"].entries()) {
    await saved(Day, { date: new Date(`2026-01-0${index + 1}T03:04:05Z`), title });
    await saved(Certificate, { url: new URL(`https://example.com/${index + 1}`), title }, "seal");
  }
  await saved(Work, { title: "work" }, "cover");
  await saved(Book, { title: "book" }, "cover", "text");
  await saved(Novel, { title: "novel" }, "cover", "text", "blurb");
}
