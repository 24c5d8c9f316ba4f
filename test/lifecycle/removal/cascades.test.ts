import assert from "node:assert/strict";
import {
  type DeepPartial,
  type EntityManager,
  type EntityTarget,
  In,
  IsNull,
  Like,
  Not,
  type ObjectLiteral,
} from "typeorm";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase } from "../../support/databases.js";
import { before, it } from "../../support/suite.js";
import {
  BadgeSchema,
  Box,
  ClubSchema,
  Comment,
  Contract,
  Department,
  Drawing,
  Firm,
  families,
  Logo,
  Permit,
  Phone,
  Report,
  Site,
  SiteDrawing,
} from "./families.js";

describeOnEachDatabase("files.remove, where the database would delete other rows as well,", (database) => {
  const archive = archiveInMemoryOfSuite(database, { entities: families }, families);
  let manager: EntityManager;
  before(() => {
    manager = archive.dataSource.manager;
  });

  async function saved<E extends ObjectLiteral>(
    entity: EntityTarget<E>,
    values: DeepPartial<E>,
    ...properties: string[]
  ): Promise<E> {
    const row = manager.create(entity, values);
    for (const property of properties) await archive.files.attach(row, property as never, Buffer.from("bytes"));
    return manager.save(entity, row);
  }

  async function firm(code: string): Promise<Firm> {
    const one = await saved(Firm, { code });
    const department = await saved(Department, { firm: one });
    for (let count = 0; count < 3; count++) await saved(Contract, { department }, "scan");
    await saved(Logo, { firm: one }, "image");
    await saved(Permit, { firmId: one.id }, "scan");
    await saved(Phone, { firm: one });
    const site = await saved(Site, { country: code, number: 1, firm: one });
    const otherSite = await saved(Site, { country: code, number: 2, firm: one });
    await saved(SiteDrawing, { sheet: code, version: 1, site }, "plan", "key");
    await saved(SiteDrawing, { sheet: code, version: 2, site: otherSite }, "plan", "key");
    await saved(SiteDrawing, { sheet: code, version: 3 }, "plan", "key");
    await saved(Drawing, { sheet: code, version: 4 }, "plan");
    await saved(Report, { firm: one }, "text");
    return one;
  }

  async function assertTidy(objects: number): Promise<void> {
    assert.equal((await archive.keys()).length, objects);
    const { named, orphans, missing } = await archive.files.sweep({ olderThan: 0 });
    assert.deepEqual({ named, orphans, missing }, { named: objects, orphans: 0, missing: 0 });
  }

  it("removes their files, through foreign keys of any kind", async () => {
    const [gone] = [await firm("a"), await firm("b")];
    assert.equal((await archive.keys()).length, 26);
    assert.equal(await archive.files.remove(Firm, gone.id), 1);
    assert.equal(await manager.countBy(Report, { firm: IsNull() }), 1);
    for (const entity of [Firm, Department, Logo, Permit, Phone]) assert.equal(await manager.count(entity), 1);
    assert.deepEqual(await manager.countBy(Drawing, { sheet: "a" }), 2);
    await assertTidy(13 + 4);
  });

  it("removes their files, where entities are an EntitySchema each", async () => {
    const [gone, club] = [await saved(ClubSchema, {}), await saved(ClubSchema, {})];
    for (const one of [gone, gone, club]) await saved(BadgeSchema, { club: one }, "photo");
    assert.equal(await archive.files.remove(ClubSchema, gone.id), 1);
    assert.equal(await archive.files.remove<ObjectLiteral>("Badge", { club: { id: gone.id } }), 0);
    await assertTidy(1);
  });

  it("keeps all of them after a rollback of the caller's transaction", async () => {
    const { id } = await firm("a");
    const keys = await archive.keys();
    const transaction = manager.transaction(async (inner) => {
      await archive.files.remove(Firm, id, { manager: inner });
      assert.equal(await inner.count(Contract), 0);
      throw new Error("roll back");
    });
    await assert.rejects(transaction, { message: "roll back" });
    assert.deepEqual(await archive.keys(), keys);
    assert.equal(await manager.count(Contract), 3);
    await assertTidy(13);
  });

  it("leaves rows to the database behind which there is no file", async (t) => {
    const { id } = await firm("a");
    const statements: string[] = [];
    const subscriber = { beforeQuery: ({ query }: { query: string }) => void statements.push(query) };
    archive.dataSource.subscribers.push(subscriber);
    t.after(() => archive.dataSource.subscribers.splice(archive.dataSource.subscribers.indexOf(subscriber), 1));
    await archive.files.remove(Firm, id);
    const tables = ["phone", "report", "department", "contract"];
    assert.deepEqual(
      tables.filter((table) => statements.some((sql) => new RegExp(`^DELETE FROM .${table}.`).test(sql))),
      ["department", "contract"],
    );
    assert.equal(await manager.count(Phone), 0);
  });

  it("removes more than a page of them", async () => {
    const department = await saved(Department, { firm: await saved(Firm, { code: "a" }) });
    for (let count = 0; count < 120; count++) await saved(Contract, { department }, "scan");
    assert.equal(await archive.files.remove(Firm, { code: "a" }), 1);
    await assertTidy(0);
  });

  it("removes a tree from its root, however deep, and counts its rows", async () => {
    let parent: Comment | null = null;
    for (let depth = 0; depth < 40; depth++) parent = await saved(Comment, { id: `c${depth}`, parent }, "picture");
    await saved(Comment, { id: "other" }, "picture");
    assert.equal(await archive.files.remove(Comment, "c0"), 40);
    await assertTidy(1);
  });

  it("removes a tree of a table with its ancestors", async () => {
    const root = await saved(Box, {}, "photo");
    const child = await saved(Box, { parent: root }, "photo");
    await saved(Box, { parent: child }, "photo");
    await saved(Box, {}, "photo");
    assert.equal(await archive.files.remove(Box, root.id), 3);
    await assertTidy(1);
  });

  it("removes rows of a page that refer to each other, in whatever order and over whatever detours", async () => {
    const first = await saved(Comment, { id: "z" }, "picture");
    const own = await saved(Comment, { id: "y", parent: first }, "picture");
    const outside = await saved(Comment, { id: "outside", parent: first, quoted: own }, "picture");
    await saved(Comment, { id: "a", parent: own, quoted: outside }, "picture");
    assert.equal(await archive.files.remove(Comment, ["a", "y", "z"]), 4);
    await assertTidy(0);
  });

  it("removes all rows of a tree that are more than a page", async () => {
    const rows = [await saved(Comment, { id: "50" }, "picture")];
    for (let count = 0; count < 149; count++) {
      const parent = rows[Math.floor(Math.random() * rows.length)]!;
      const quoted = rows[Math.floor(Math.random() * rows.length)]!;
      rows.push(await saved(Comment, { id: `${(count * 77) % 1000}-${count}`, parent, quoted }, "picture"));
    }
    assert.equal(await archive.files.remove(Comment, { id: Not(IsNull()) }), 150);
    await assertTidy(0);
  });

  it("removes a row that refers to itself, and two of a page that refer to each other", async () => {
    await saved(Comment, { id: "self" }, "picture");
    await manager.update(Comment, "self", { parent: { id: "self" } });
    const one = await saved(Comment, { id: "one" }, "picture");
    await saved(Comment, { id: "other", parent: one }, "picture");
    await manager.update(Comment, "one", { quoted: { id: "other" } });
    assert.equal(await archive.files.remove(Comment, { id: In(["self", "one", "other"]) }), 3);
    await assertTidy(0);
  });

  it("refuses a row that refers to itself through others, and says so", async () => {
    const one = await saved(Comment, { id: "one" }, "picture");
    const other = await saved(Comment, { id: "other", parent: one }, "picture");
    await saved(Comment, { id: "third", parent: other }, "picture");
    await manager.update(Comment, "one", { quoted: { id: "third" } });
    await assert.rejects(archive.files.remove(Comment, { id: Like("one") }), {
      code: "ERR_PRIVATE_FILE_NOT_REMOVED",
      message: /refers to itself through other rows/,
    });
    await assertTidy(3);
    await manager.update(Comment, "one", { quoted: null });
    assert.equal(await archive.files.remove(Comment, "one"), 3);
    await assertTidy(0);
  });
});
