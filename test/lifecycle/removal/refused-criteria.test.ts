import assert from "node:assert/strict";
import { Equal, In, IsNull, Not, type ObjectLiteral, Or } from "typeorm";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase } from "../../support/databases.js";
import { beforeEach, it } from "../../support/suite.js";
import { Bill, Client, documents, House, Package } from "./documents.js";

const refused: [title: string, criteria: unknown, message: RegExp][] = [
  ["undefined", undefined, /the condition is undefined/],
  ["null", null, /the condition is null/],
  ["an empty text", "", /a primary key is an empty text/],
  ["NaN", Number.NaN, /a primary key is NaN/],
  ["an invalid date", new Date("never"), /a primary key is Invalid Date/],
  ["a boolean", true, /the condition is a boolean/],
  ["a function", () => "1=1", /the condition is a function/],
  ["an operator", Not(IsNull()), /the condition is an operator/],
  ["an empty array", [], /the condition is an empty array/],
  ["an empty object", {}, /the condition is empty/],
  ["an empty entity", new Bill(), /the condition is empty/],
  ["a Map", new Map([["id", 1]]), /the condition is a Map/],
  ["a Promise", Promise.resolve({ id: 1 }), /the condition is a Promise/],
  ["an empty text among primary keys", ["1", ""], /a primary key is an empty text/],
  ["undefined among primary keys", [1, undefined], /a primary key is undefined/],
  ["a primary key among conditions", [{ id: 1 }, 2], /the condition is a number/],
  ["null among conditions", [{ id: 1 }, null], /the condition is null/],
  ["an empty object among conditions", [{ id: 1 }, {}], /the condition is empty/],
  ["an array among conditions", [[{ id: 1 }]], /the condition is an array/],
  ["a property of undefined", { id: undefined }, /"id" is undefined/],
  ["a property of null", { id: 1, title: null }, /"title" is null/],
  ["a property of undefined among conditions", [{ id: 1 }, { id: undefined }], /"id" is undefined/],
  ["an unknown property", { id: 1, name: "x" }, /"name" is not a column or relation of Bill/],
  ["a property of Object", { constructor: 1 }, /"constructor" is not a column/],
  ["__proto__ of JSON", JSON.parse('{ "__proto__": { "id": 1 } }'), /"__proto__" is not a column/],
  ["an object for a number", { id: {} }, /"id" is an object, which its column can't have/],
  ["an array for a number", { id: [1] }, /"id" is an array, which its column can't have/],
  ["a relation of undefined", { client: undefined }, /"client" is undefined/],
  ["a relation of null", { client: null }, /"client" is null/],
  ["a relation of a number", { client: 0 }, /"client" is a number, not an object/],
  ["a relation of true", { client: true }, /"client" is a boolean, not an object/],
  ["an empty relation", { client: {} }, /"client" is empty/],
  ["an empty relation among properties", { id: 1, client: {} }, /"client" is empty/],
  ["a date for a relation", { client: new Date() }, /"client" is a Date/],
  ["a relation without alternatives", { client: [] }, /"client" is an empty array/],
  ["a relation with an empty alternative", { client: [{ id: 1 }, {}] }, /"client" is empty/],
  ["a relation's property of undefined", { client: { id: undefined } }, /"client.id" is undefined/],
  ["a relation's unknown property", { client: { nmae: "Ann" } }, /"client.nmae" is not a column or relation of Client/],
  ["a relation of a relation", { lines: { bill: { id: undefined } } }, /"lines.bill.id" is undefined/],
  ["a related entity that was not saved", { client: new Client() }, /"client" is an entity without a primary key/],
  ["an operator of undefined", { id: Equal(undefined) }, /the operator of "id" has a value of undefined/],
  ["an operator of null", { id: Not(null) }, /the operator of "id" has a value of null/],
  [
    "an operator of several with undefined",
    { id: In([1, undefined]) },
    /the operator of "id" has a value of undefined/,
  ],
  ["an operator that leaves out nothing", { id: Not(In([])) }, /the operator of "id" leaves out nothing/],
  [
    "a nested operator that leaves out nothing",
    { id: Not(Not(Not(In([])))) },
    /the operator of "id" leaves out nothing/,
  ],
  ["an operator in an operator", { id: Not(In([undefined])) }, /the operator of "id" has a value of undefined/],
  ["alternatives of an operator", { id: Or(Equal(1), Equal(null)) }, /the operator of "id" has a value of null/],
  ["a relation's operator", { client: Equal(undefined) }, /the operator of "client" has a value of undefined/],
];

const behaviours = [
  undefined,
  { undefined: "ignore", null: "ignore" },
  { undefined: "throw", null: "sql-null" },
] as const;

describeOnEachDatabase("files.remove, given criteria that could match more than intended,", (database) => {
  const archive = archiveInMemoryOfSuite(database, { entities: documents }, documents);
  let bill: Bill;
  beforeEach(async () => {
    const { manager } = archive.dataSource;
    bill = manager.create(Bill, { id: 1, title: "kept", client: await manager.save(Client, { id: 1, title: "Ann" }) });
    await archive.files.attach(bill, "scan", Buffer.from("bytes"));
    await manager.save(bill);
  });

  async function assertRefused(entity: new () => ObjectLiteral, criteria: unknown, message: RegExp): Promise<void> {
    const statements: string[] = [];
    archive.dataSource.subscribers.push({ beforeQuery: ({ query }) => void statements.push(query) });
    const removing = archive.files.remove(entity, criteria as never);
    await assert.rejects(removing, { code: "ERR_PRIVATE_FILE_CRITERIA", message });
    archive.dataSource.subscribers.pop();
    assert.deepEqual(statements, []);
    assert.equal((await archive.keys()).length, 1);
    assert.equal(await archive.dataSource.manager.count(Bill), 1);
  }

  for (const [title, criteria, message] of refused) {
    it(`refuses ${title} before any statement, whatever invalidWhereValuesBehavior says`, async () => {
      for (const behaviour of behaviours) {
        Object.assign(archive.dataSource.options, { invalidWhereValuesBehavior: behaviour });
        await assertRefused(Bill, criteria, message);
      }
    });
  }

  it("refuses one value for a primary key of several columns, and a part that is empty", async () => {
    await assertRefused(Package, "NL", /the primary key has several columns/);
    await assertRefused(Package, { country: "NL", number: undefined }, /"number" is undefined/);
    await assertRefused(House, { address: {} }, /"address" is empty/);
    await assertRefused(House, { address: "Ghent" }, /"address" is a string, not an object/);
    await assertRefused(House, { address: { city: undefined } }, /"address.city" is undefined/);
  });

  it("refuses a text for a private column, as find does", async () => {
    await assert.rejects(archive.files.remove(Bill, { scan: bill.scan!.key as never }), {
      code: "ERR_PRIVATE_FILE_VALUE",
    });
    assert.equal(await archive.files.remove(Bill, { scan: bill.scan! }), 1);
  });
});
