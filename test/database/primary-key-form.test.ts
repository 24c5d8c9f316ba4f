import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DataSource, type DataSourceOptions } from "typeorm";
import type { ColumnMetadata } from "../../src/column/private-column.js";
import { PrimaryKeyForm } from "../../src/database/primary-key-form.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

const postgres = { type: "postgres" } as const;
const mariadb = { type: "mariadb" } as const;
const sqlite = { type: "sqljs" } as const;
type Column = { type: string; unsigned?: boolean; enum?: unknown[] };

describe("PrimaryKeyForm", () => {
  const integers: [options: DataSourceOptions, column: Column, least: bigint, most: bigint][] = [
    [postgres, { type: "smallint" }, -(2n ** 15n), 2n ** 15n - 1n],
    [postgres, { type: "int" }, -(2n ** 31n), 2n ** 31n - 1n],
    [postgres, { type: "bigint" }, -(2n ** 63n), 2n ** 63n - 1n],
    [mariadb, { type: "tinyint" }, -128n, 127n],
    [mariadb, { type: "mediumint", unsigned: true }, 0n, 2n ** 24n - 1n],
    [mariadb, { type: "int", unsigned: true }, 0n, 2n ** 32n - 1n],
    [mariadb, { type: "bigint", unsigned: true }, 0n, 2n ** 64n - 1n],
    [sqlite, { type: "integer" }, -(2n ** 63n), 2n ** 63n - 1n],
  ];
  for (const [options, column, least, most] of integers) {
    it(`takes a whole number from ${least} to ${most} in its one form, and nothing else, for ${shown(options, column)}`, () => {
      const form = formOf(options, column);
      const edge = fc.constantFrom(least, most, 0n).chain((near) => fc.bigInt({ min: near - 3n, max: near + 3n }));
      const number = fc.oneof(edge, fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })).map(String);
      const pieces = fc.constantFrom("0", "-", "+", " ", "\t", "\n", "\0", ".", ".0", "e0", "n", "_", "٣", "", "00");
      const nearly = fc.tuple(pieces, number, pieces).map((parts) => parts.join(""));
      fc.assert(
        fc.property(fc.oneof(number, nearly, fc.string()), (value) => {
          const isInteger = /^-?[0-9]+$/.test(value) && String(BigInt(value)) === value;
          assert.equal(form.accepts(value), isInteger && BigInt(value) >= least && BigInt(value) <= most, value);
        }),
        runs(1000),
      );
    });
  }

  it("takes a uuid in lower case with its hyphens, and nothing else", () => {
    const form = formOf(postgres, { type: "uuid" });
    const uuid = fc.uuid({ version: [1, 4, 7] });
    const nearly = fc
      .tuple(uuid, fc.nat({ max: 36 }), fc.constantFrom("", "-", "g", "A", "{", " ", "\n", "٣", "00"))
      .map(([text, place, other]) => text.slice(0, place) + other + text.slice(place + 1));
    fc.assert(
      fc.property(fc.oneof(uuid, nearly, fc.string()), (value) => {
        const places = [...value].map((character) =>
          character === "-" ? "-" : "0123456789abcdef".includes(character) ? "x" : "?",
        );
        assert.equal(form.accepts(value), places.join("") === "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", value);
      }),
      runs(1000),
    );
  });

  it("takes a text that is not empty and has no NUL, and of an enumeration only its values", () => {
    const text = formOf(postgres, { type: "varchar" });
    const choice = formOf(postgres, { type: "enum", enum: ["draft", 2] });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("draft", "2", "02", "Draft")), (value) => {
        assert.equal(text.accepts(value), value.length > 0 && value.indexOf("\0") < 0);
        assert.equal(choice.accepts(value), value === "draft" || value === "2");
      }),
      runs(1000),
    );
  });

  it("takes no time to speak of for hostile values", () => {
    const columns: Column[] = [
      { type: "bigint" },
      { type: "uuid" },
      { type: "varchar" },
      { type: "enum", enum: ["a"] },
    ];
    const forms = columns.map((column) => formOf(postgres, column));
    for (const value of hostileTexts("", "1", "-", "00000000-", "a")) {
      for (const form of forms) assertQuick(() => form.accepts(value), value);
    }
  });
});

/** The form of a column's values, going by what the driver says of the type; no database is asked for that. */
function formOf(options: DataSourceOptions, column: Column): PrimaryKeyForm {
  return new PrimaryKeyForm(new DataSource(options), column as ColumnMetadata);
}

function shown({ type }: DataSourceOptions, column: Column): string {
  return `${column.unsigned ? "unsigned " : ""}${column.type} of ${type}`;
}
