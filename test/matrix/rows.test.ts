import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { chooseRows, NODE_OF_BETTER_SQLITE3, PARTS, ROWS, VERSIONS } from "./rows.js";

const checkout = resolve(import.meta.dirname, "../../..");
const manifest = JSON.parse(read("package.json"));
const { typeorm, koa } = manifest.peerDependencies;
const ranges: Record<string, string> = { node: manifest.engines.node, typeorm, koa };

describe("the matrix of versions", () => {
  for (const [part, range] of Object.entries(ranges)) {
    it(`has the oldest ${part} of each range that package.json allows`, () => {
      const versions: readonly string[] = VERSIONS[part as keyof typeof VERSIONS];
      const oldest = range.match(/\d+\.\d+\.\d+/g)!;
      assert.deepEqual(
        oldest.filter((version) => !versions.includes(version)),
        [],
      );
    });
  }

  it("has each version, each TypeORM on the Node of better-sqlite3, all the newest and all the oldest, and no row twice", () => {
    const rows = ROWS.map(versionsOf);
    for (const part of PARTS) {
      assert.deepEqual(new Set(ROWS.map((row) => row[part])), new Set(VERSIONS[part]), part);
    }
    for (const typeorm of VERSIONS.typeorm.slice(0, -1)) {
      const there = ROWS.some((row) => row.node === NODE_OF_BETTER_SQLITE3 && row.typeorm === typeorm);
      assert.ok(there, typeorm);
    }
    for (const end of [0, -1]) {
      const [node, typeorm, koa] = PARTS.map((part) => VERSIONS[part].at(end)) as [string, string, string];
      assert.ok(rows.includes(versionsOf({ node, typeorm, koa })), `${end}`);
    }
    assert.equal(new Set(rows).size, rows.length);
    assert.equal(new Set(ROWS.map(({ name }) => name)).size, rows.length);
  });

  it("is shown as measured in docs/versions.md, with the versions that it has", () => {
    const table = /^\| row \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(read("docs/versions.md"))![1]!;
    const measured = table
      .trim()
      .split("\n")
      .map((line) => line.split(" | ").slice(0, 4).join(" "));
    const rows = ROWS.map((row) => `| ${row.name} ${versionsOf(row)}`);
    assert.deepEqual(
      measured.filter((row) => !rows.includes(row)),
      [],
    );
  });

  it("runs the rows that have the versions asked for, in full or their beginning", () => {
    assert.deepEqual(chooseRows({}), ROWS);
    const names = chooseRows({ node: "24", koa: "3" }).map(({ node, koa }) => `${node} ${koa}`);
    assert.deepEqual(names, ["24.21.0 3.3.0"]);
    assert.deepEqual(
      chooseRows({ only: "mature", typeorm: "0.3.31" }).map(({ name }) => name),
      ["mature"],
    );
    assert.throws(() => chooseRows({ only: "none" }), /No row has none in its name/);
  });

  it("makes a row of versions that no row has, with the newest of those that were not named", () => {
    const [row, ...more] = chooseRows({ node: "22", koa: "2.16.4" });
    assert.deepEqual(row, { name: "chosen", node: "22.23.3", typeorm: "1.1.1", koa: "2.16.4" });
    assert.deepEqual(more, []);
    // No part of a number: 2.1 is not 2.16.
    assert.equal(chooseRows({ koa: "2.1" })[0]!.koa, "2.1");
  });
});

function versionsOf({ node, typeorm, koa }: Record<keyof typeof VERSIONS, string | undefined>): string {
  return `${node} ${typeorm} ${koa}`;
}

function read(path: string): string {
  return readFileSync(resolve(checkout, path), "utf8");
}
