import assert from "node:assert/strict";
import { type DataSource, EntitySchema, type EntitySchemaColumnOptions } from "typeorm";
import { type PrivateFile, privateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { KeyRows } from "../../src/database/key-rows.js";
import { keyColumns } from "../../src/database/named-keys.js";
import {
  betterSqlite3,
  describeOnEachDatabase,
  mariadb,
  postgres,
  sqljs,
  type TestDatabase,
} from "../support/databases.js";
import { it } from "../support/suite.js";

/** More than a page. */
const ROWS = 2500;

/** The columns of a primary key, and the values of the row of a number, as SQL. */
interface PrimaryKey {
  on: TestDatabase[];
  columns: Record<string, EntitySchemaColumnOptions["type"] | EntitySchemaColumnOptions>;
  values(number: number): string[];
}

const hex = (number: number) => number.toString(16).padStart(4, "0");
const second = (number: number) => `2026-11-30 12:00:00.${String(number).padStart(6, "0")}`;

const PRIMARY_KEYS: Record<string, PrimaryKey> = {
  "an enum and a number": {
    on: [mariadb, postgres],
    columns: { kind: { type: "enum", enum: ["z", "m", "a"] }, number: "int" },
    values: (number) => [`'${["z", "m", "a"][number % 3]}'`, `${number}`],
  },
  "a set": {
    on: [mariadb],
    columns: { days: { type: "set", enum: ["sun", "mon"] }, number: "int" },
    values: (number) => [`'${["", "sun", "mon", "sun,mon"][number % 4]}'`, `${number}`],
  },
  "an integer of 64 bits": {
    on: [sqljs, betterSqlite3, postgres, mariadb],
    columns: { number: "bigint" },
    values: (number) => [`${9_007_199_254_740_993n + BigInt(number)}`],
  },
  "a decimal of 30 digits": {
    on: [postgres, mariadb],
    columns: { amount: { type: "decimal", precision: 30, scale: 10 } },
    values: (number) => [`12345678901234567890.${String(number).padStart(10, "0")}`],
  },
  "a time in microseconds": {
    on: [postgres],
    columns: { at: { type: "timestamptz", precision: 6 } },
    values: (number) => [`'${second(number)}'`],
  },
  "a datetime in microseconds": {
    on: [mariadb],
    columns: { at: { type: "datetime", precision: 6 } },
    values: (number) => [`'${second(number)}'`],
  },
  "16 bytes": {
    on: [mariadb],
    columns: { id: { type: "binary", length: 16 } },
    values: (number) => [`UNHEX('ff00c3${hex(number)}fe${"00".repeat(10)}')`],
  },
  "some bytes": {
    on: [postgres],
    columns: { id: "bytea" },
    values: (number) => [`'\\xff00c3${hex(number)}fe'`],
  },
  "a blob": {
    on: [sqljs, betterSqlite3],
    columns: { id: "blob" },
    values: (number) => [`x'ff00c3${hex(number)}fe'`],
  },
  "a uuid": {
    on: [postgres, mariadb],
    columns: { id: "uuid" },
    values: (number) => [`'${hex(number * 7)}0000-0000-4000-8000-00000000${hex(number)}'`],
  },
  "a text with blanks at its end": {
    on: [postgres, mariadb],
    columns: { code: { type: "char", length: 8 } },
    values: (number) => [`'${hex(number)}'`],
  },
  "a double": {
    on: [sqljs, betterSqlite3, postgres, mariadb],
    columns: { at: { type: "double precision" } },
    values: (number) => [`${number / 3}`],
  },
};

describeOnEachDatabase("The rows of a table of more than a page", (database) => {
  for (const [name, { on, columns, values }] of Object.entries(PRIMARY_KEYS)) {
    if (!on.includes(database)) continue;
    it(`are read once each, by a primary key of ${name}`, async (t) => {
      const { dataSource, close } = await database.open({ entities: [rowOf(columns)] });
      t.after(close);
      const rows = Array.from(
        { length: ROWS },
        (_, number) => `(${[...values(number), `'key ${number}'`].join(", ")})`,
      );
      for (let start = 0; start < ROWS; start += 500) {
        await dataSource.query(`INSERT INTO one_row VALUES ${rows.slice(start, start + 500).join(", ")}`);
      }
      const expected = rows.map((_, number) => `key ${number}`).sort();
      assert.deepEqual((await read(dataSource)).sort(), expected);
    });
  }
});

function rowOf(columns: PrimaryKey["columns"]): EntitySchema<{ file: PrivateFile }> {
  const keys = Object.entries(columns).map(([name, column]) => {
    const options = typeof column === "object" ? (column as EntitySchemaColumnOptions) : { type: column! };
    return [name, { ...options, primary: true }] as const;
  });
  return new EntitySchema<{ file: PrivateFile }>({
    name: "one_row",
    columns: { ...Object.fromEntries(keys), file: privateFileColumn() } as never,
  });
}

/** The keys of all rows. Makes sure that a page is found again, too. */
async function read(dataSource: DataSource): Promise<string[]> {
  const [column] = keyColumns(ColumnSet.of(dataSource));
  const rows = new KeyRows(dataSource, column!);
  const keys: string[] = [];
  for await (const page of rows.pages()) {
    keys.push(...page.map(({ key }) => key));
    assert.deepEqual(await rows.again(page), page);
  }
  return keys;
}
