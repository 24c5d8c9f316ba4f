import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { Entity, PrimaryColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import type { PrivateColumn } from "../../src/column/private-column.js";
import { makeFile } from "../../src/column/private-file.js";
import { type Location, Locator } from "../../src/download/routes/locate.js";
import { assertKey } from "../../src/storage/key.js";
import { type OpenDatabase, sqljs } from "../support/databases.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

@Entity()
class Chapter {
  @PrimaryColumn({ type: "text" }) book!: string;
  @PrimaryColumn({ type: "bigint" }) edition!: string;
  @PrimaryColumn({ type: "varchar" }) slug!: string;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

/** Texts of any kind that a database can keep, with many of the characters that mean something in a URL. */
const text = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(..."/%.~a0-;+&?#\\ é日😀=@:!'()*\u0301\n", "%2F", "%2e"),
      minLength: 1,
      maxLength: 12,
    }),
    fc.constantFrom("...", "%2e%2e", "__proto__", "constructor"),
  )
  .filter((any) => !any.includes("\0") && any !== "." && any !== "..");
const name = text.map((any) => any.replaceAll("/", "")).filter(isKey);
const chapter = fc.record({
  book: text,
  edition: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  slug: text,
  name,
});

describe("Locator", () => {
  let database: OpenDatabase;
  let column: PrivateColumn;
  let locator: Locator;
  before(async () => {
    database = await sqljs.open({ entities: [Chapter] });
    [column] = ColumnSet.of(database.dataSource) as unknown as [PrivateColumn];
    locator = new Locator(database.dataSource, [column]);
  });
  after(() => database.close());

  it("finds the key values and the name that it made a path of, whatever they are", () => {
    fc.assert(
      fc.property(chapter, (any) => {
        assert.deepEqual(locate(pathTo(any)), {
          column,
          primaryKey: [any.book, any.edition, any.slug],
          name: any.name,
        });
      }),
      runs(2000),
    );
  });

  it("makes no path for a key of . or .., which browsers take for a folder, and finds nothing by one", () => {
    for (const slug of [".", ".."]) {
      const one = { ...fc.sample(chapter, 1)[0]!, slug };
      assert.throws(() => pathTo(one), /there is no URL: its primary key can't stand in one/);
      assert.equal(locate(`chapter/file/a/1/${slug}/x`), undefined);
    }
  });

  it("makes paths that a browser leaves as they are", () => {
    fc.assert(
      fc.property(chapter, (any) => {
        const path = `/${pathTo(any)}`;
        assert.match(path, /^[\w.~/%-]+$/);
        assert.equal(new URL(path, "http://x").href, `http://x${path}`);
      }),
      runs(2000),
    );
  });

  it("finds the same by each path that decodes to the same texts, whatever a proxy encoded or decoded on the way", () => {
    const respelled = chapter.chain((one) => fc.tuple(fc.constant(one), respellings(pathTo(one))));
    fc.assert(
      fc.property(respelled, ([one, tried]) => {
        assert.deepEqual(locate(tried), locate(pathTo(one)));
      }),
      runs(2000),
    );
  });

  it("finds nothing but what decodes, once, to the texts of a path that it made", () => {
    const any = fc.string({ unit: "binary-ascii", maxLength: 30 });
    const path = fc.oneof(
      chapter.chain((one) => changed(`${pathTo(one)}`)),
      any.map((rest) => `chapter/file/${rest}`),
    );
    fc.assert(
      fc.property(path, (tried) => {
        const found = locate(tried);
        // No file has a name with a slash: such a path leads nowhere.
        if (found === undefined || found.name.includes("/")) return;
        const [book, edition, slug] = found.primaryKey as [string, string, string];
        assert.deepEqual(textsOf(pathTo({ book, edition, slug, name: found.name })), textsOf(tried));
      }),
      runs(5000),
    );
  });

  it("takes no time to speak of for hostile paths", () => {
    for (const rest of hostileTexts("", "a/1/", "%")) {
      assertQuick(() => locate(`chapter/file/${rest}`), rest);
      assertQuick(() => locate(rest), rest);
    }
  });

  function pathTo({ name, ...keys }: { book: string; edition: string; slug: string; name: string }): string {
    return locator.pathTo(
      column,
      Object.assign(new Chapter(), keys, { file: makeFile({ key: `folder/${name}`, state: "stored" }) }),
    );
  }

  function locate(path: string): Location | undefined {
    return locator.locate(path);
  }
});

/** The texts of a path's segments. */
function textsOf(path: string): string[] {
  return path.split("/").map((segment) => decodeURIComponent(segment.replace(/\p{Surrogate}/gu, "\ufffd")));
}

/** A path of which any encoded characters but slashes and percent signs are decoded, and any others encoded. */
function respellings(path: string): fc.Arbitrary<string> {
  const characters = path.match(/(?:%[89A-F][0-9A-F])+|%[0-9A-F]{2}|./gs)!;
  return fc.tuple(...characters.map((one) => fc.constantFrom(...spellingsOf(one)))).map((all) => all.join(""));
}

function spellingsOf(spelled: string): string[] {
  if (spelled === "/" || spelled === "%2F" || spelled === "%25") return [spelled, spelled.toLowerCase()];
  const text = decodeURIComponent(spelled);
  const encoded = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return [spelled, text, encoded, encoded.toUpperCase()];
}

/** A path with one character left out, put in or put in place of another, or in the other case. */
function changed(path: string): fc.Arbitrary<string> {
  const place = fc.nat({ max: path.length });
  const other = fc.constantFrom(..."/%.~aAfF012-;+ é\0", "%2F", "%61", "\ud800");
  const change = fc.constantFrom("out", "in", "other", "case");
  return fc.tuple(place, other, change).map(([at, character, how]) => {
    if (how === "case") return path.slice(0, at) + swapCase(path.slice(at, at + 1)) + path.slice(at + 1);
    const kept = how === "in" ? at : at + 1;
    return path.slice(0, at) + (how === "out" ? "" : character) + path.slice(kept);
  });
}

function swapCase(character: string): string {
  const upper = character.toUpperCase();
  return upper === character ? character.toLowerCase() : upper;
}

function isKey(key: string): boolean {
  try {
    assertKey(`folder/${key}`);
    return true;
  } catch {
    return false;
  }
}
