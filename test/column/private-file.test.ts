import assert from "node:assert/strict";
import { inspect } from "node:util";
import { instanceToInstance, instanceToPlain, plainToInstance, Type } from "class-transformer";
import _ from "lodash";
import { Column, Entity, In, IsNull, Not, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { makeFile, recordOf } from "../../src/column/private-file.js";
import { archiveOfSuite } from "../support/archive.js";
import { sqljs } from "../support/databases.js";
import { beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 40, default: "" }) title!: string;
  @Type(() => PrivateFile)
  @PrivateFileColumn({ uploadTo: "letters", nullable: true })
  scan!: PrivateFile | null;
}

const KEY = "uploads/secret/report.pdf";
const REFUSED = { name: "PrivateFileError", code: "ERR_PRIVATE_FILE_VALUE" };
/** A row that was loaded. */
const loaded = () =>
  Object.assign(new Letter(), { id: 1, title: "a", scan: makeFile({ key: KEY, state: "stored" }) }) as Letter & {
    scan: PrivateFile;
  };
/** What a request says. */
const body = (scan: object) => JSON.parse(JSON.stringify({ title: "b", scan }));

describe("a PrivateFile", () => {
  it("shows its name, not its key, in JSON, in a template, to serialisers, to copies and in a log", () => {
    const letter = loaded();
    const shown = { id: 1, title: "a", scan: { name: "report.pdf" } };
    assert.deepEqual(JSON.parse(JSON.stringify(letter)), shown);
    assert.equal(`${letter.scan}`, "report.pdf");
    assert.deepEqual(instanceToPlain(letter), shown);
    assert.deepEqual(structuredClone({ ...letter }), shown);
    assert.deepEqual(Object.assign({}, letter.scan), shown.scan);
    assert.deepEqual({ ...letter.scan }, shown.scan);
    assert.equal(inspect(letter.scan), "PrivateFile { name: 'report.pdf' }");
    assert.doesNotMatch(inspect(letter, { showHidden: true, depth: 9 }), /secret/);
  });

  const merges: [string, (target: object, source: object) => unknown][] = [
    ["lodash's merge", _.merge],
    ["lodash's defaultsDeep", (target, source) => _.defaultsDeep(target, source)],
    ["a deep merge in strict mode", mergeStrictly],
  ];
  for (const [what, merge] of merges) {
    it(`has the same key and name after ${what} of what a request says`, () => {
      const inherited = JSON.parse('{"__proto__":{"key":"uploads/x"},"constructor":{"prototype":{"key":"uploads/x"}}}');
      for (const scan of [{ key: "uploads/x" }, { name: "x" }, { key: "uploads/x", extra: 1 }, inherited]) {
        const letter = loaded();
        try {
          merge(letter, body(scan));
        } catch (error) {
          // A frozen property throws a TypeError in strict mode.
          assert.ok(!("key" in scan) || (error as { code?: string }).code === REFUSED.code, String(error));
        }
        assert.deepEqual([letter.scan.key, letter.scan.name], [KEY, "report.pdf"]);
        assert.equal(recordOf(letter.scan)!.key, KEY);
      }
      assert.equal(({} as { key?: string }).key, undefined);
    });
  }

  it("refuses a new key with an error that says what to do", () => {
    for (const assign of [
      () => _.merge(loaded(), body({ key: "uploads/x" })),
      () => mergeStrictly(loaded(), body({ key: "uploads/x" })),
      () => _.set(loaded(), "scan.key", "uploads/x"),
      () => Object.assign(loaded().scan, { key: "uploads/x" }),
    ]) {
      assert.throws(assign, { ...REFUSED, message: /^PrivateFile: its key can't be changed\. Use "files\.attach\(/ });
    }
  });

  it("can be changed neither itself nor by its prototype", () => {
    const { scan } = loaded();
    const get = () => "uploads/x";
    assert.throws(() => Object.defineProperty(scan, "key", { get }), TypeError);
    assert.throws(() => Object.defineProperty(PrivateFile.prototype, "key", { get }), TypeError);
    assert.throws(() => Object.setPrototypeOf(scan, { key: "uploads/x" }), TypeError);
    assert.throws(() => Object.assign(PrivateFile.prototype, { toJSON: get }), TypeError);
    assert.deepEqual([scan.key, JSON.stringify(scan)], [KEY, '{"name":"report.pdf"}']);
  });

  it("can't be forged: without the package's own word the constructor makes a value without a key", () => {
    const Forged = PrivateFile as unknown as new (...args: unknown[]) => PrivateFile;
    const record = { key: "uploads/x", state: "stored" };
    for (const args of [["uploads/x"], [record], [Symbol("making"), record], [undefined, record]]) {
      const forged = new Forged(...args);
      assert.deepEqual([forged.key, recordOf(forged)], ["", undefined]);
    }
  });

  it("has clones whose getters do not throw, and have no key", () => {
    for (const clone of [_.cloneDeep, _.clone, instanceToInstance] as ((file: PrivateFile) => PrivateFile)[]) {
      const file = clone(loaded().scan);
      assert.ok(file instanceof PrivateFile);
      assert.deepEqual([file.key, file.name, `${file}`], ["", "report.pdf", "report.pdf"]);
      assert.equal(JSON.stringify(file), '{"name":"report.pdf"}');
      assert.equal(recordOf(file), undefined);
    }
  });
});

describe("a row with a private file", () => {
  const archive = archiveOfSuite(sqljs, { entities: [Letter] }, [Letter]);
  let letter: Letter;
  let key: string;

  beforeEach(async () => {
    const { dataSource, files } = archive;
    letter = dataSource.manager.create(Letter, { title: "a" });
    await files.attach(letter, "scan", Buffer.from("x"), { filename: "report.pdf" });
    await dataSource.manager.save(letter);
    letter = await dataSource.manager.findOneByOrFail(Letter, { id: letter.id });
    key = letter.scan!.key;
  });

  const save = (value: object) => archive.dataSource.manager.save(Letter, value);
  const row = () => archive.dataSource.manager.findOneByOrFail(Letter, { id: letter.id });

  it("keeps its key when what a request says was merged into it and is saved", async () => {
    const { manager } = archive.dataSource;
    for (const scan of [{ key: "uploads/x" }, { name: "x" }, { name: "report.pdf" }]) {
      for (const merge of [_.merge, mergeStrictly, _.assign, manager.merge.bind(manager, Letter)]) {
        const attempt = async () => save((merge as typeof _.merge)(await row(), body(scan)));
        await attempt().catch((error: { code?: string }) =>
          assert.ok(error instanceof TypeError || error.code === REFUSED.code),
        );
        assert.equal((await row()).scan!.key, key);
      }
    }
  });

  const copies: [string, (entity: Letter) => object][] = [
    ["lodash's cloneDeep", _.cloneDeep],
    ["class-transformer's instanceToInstance", instanceToInstance],
    [
      "an object with its prototype and properties",
      (one) => ({ ...one, scan: Object.setPrototypeOf({ ...one.scan }, PrivateFile.prototype) }),
    ],
  ];
  for (const [what, copy] of copies) {
    it(`is not saved from ${what}: the error says what may be saved`, async () => {
      const message = /^Letter\.scan: expected a PrivateFile, got a copy of one\. Save the entity that was loaded/;
      for (const title of ["a", "b"]) {
        await assert.rejects(save({ ...copy(letter), title }), { ...REFUSED, message });
        await assert.rejects(save({ ...copy(letter), id: undefined }), { ...REFUSED, message });
      }
      await assert.rejects(save(copy(letter)), { ...REFUSED, message });
      assert.deepEqual([(await row()).scan!.key, (await row()).title], [key, "a"]);
    });
  }

  it("is not saved from what structuredClone makes of it", async () => {
    await assert.rejects(save(structuredClone({ ...letter })), REFUSED);
  });

  it("is not saved from what class-transformer's plainToInstance makes of a request", async () => {
    const made = plainToInstance(Letter, body({ name: "report.pdf" }));
    assert.ok(made.scan instanceof PrivateFile);
    await assert.rejects(save(made), REFUSED);
    await assert.rejects(save({ ...made, id: letter.id }), REFUSED);
    assert.throws(() => plainToInstance(Letter, body({ key })), REFUSED);
    assert.equal(await archive.dataSource.manager.count(Letter), 1);
  });

  it("is not saved when a client sends back what it was shown: the error says to leave the property out", async () => {
    const shown = JSON.parse(JSON.stringify(letter));
    await assert.rejects(save({ ...letter, ...shown, title: "b" }), {
      ...REFUSED,
      message:
        /^Letter\.scan: expected a PrivateFile, got an object\. .*leave the property out: const \{ file, \.\.\.changes \} = body\.$/,
    });
    const { scan, ...changes } = shown;
    assert.deepEqual(scan, { name: "report.pdf" });
    await save({ ...letter, ...changes, title: "b" });
    assert.deepEqual([(await row()).scan!.key, (await row()).title], [key, "b"]);
  });

  it("is found by its file, and by whether it has one; a key needs a query builder, as the error says", async () => {
    const { manager } = archive.dataSource;
    const find = (scan: unknown) => manager.find(Letter, { where: { scan } as object });
    assert.equal((await find(letter.scan)).length, 1);
    assert.equal((await find(Not(IsNull()))).length, 1);
    assert.equal((await find(IsNull())).length, 0);
    for (const scan of [key, In([key])]) {
      await assert.rejects(find(scan), { ...REFUSED, message: /to find rows by a key, use a query builder\.$/ });
    }
    const found = await manager.createQueryBuilder(Letter, "letter").where("letter.scan = :key", { key }).getOne();
    assert.equal(found!.id, letter.id);
  });
});

/** As a careless application writes it. This module is in strict mode. */
function mergeStrictly<T extends object>(target: T, source: object): T {
  for (const [property, value] of Object.entries(source)) {
    const own = target[property as keyof T];
    if (isObject(own) && isObject(value)) mergeStrictly(own, value);
    else target[property as keyof T] = value;
  }
  return target;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
