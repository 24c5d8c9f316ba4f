import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { extensionOf, shortened } from "../../../src/http/name/shortened-name.js";
import { assertQuick, runs } from "../../support/fuzz.js";

describe("extensionOf", () => {
  for (const [name, extension] of [
    ["report.pdf", ".pdf"],
    ["backup.tar.gz", ".tar.gz"],
    ["BACKUP.TAR.XZ", ".TAR.XZ"],
    ["report.v2.pdf", ".pdf"],
    ["main.c++", ".c++"],
    ["Bericht.документ", ".документ"],
    ["report", ""],
    ["report.", ""],
    [".htaccess", ""],
    ["Dr. Who", ""],
    [`a.${"b".repeat(16)}`, `.${"b".repeat(16)}`],
    [`a.${"b".repeat(17)}`, ""],
    ["", ""],
  ] as const) {
    it(`finds ${JSON.stringify(extension)} in ${JSON.stringify(name)}`, () =>
      assert.equal(extensionOf(name), extension));
  }
});

describe("shortened", () => {
  const rows: [name: string, limits: { characters?: number; bytes?: number }, expected: string][] = [
    ["report.pdf", {}, "report.pdf"],
    ["report.pdf", { characters: 10 }, "report.pdf"],
    ["report.pdf", { characters: 9 }, "repor.pdf"],
    ["report.pdf", { characters: 5 }, "r.pdf"],
    ["report.pdf", { characters: 4 }, "repo"],
    ["report.pdf", { characters: 0 }, ""],
    ["😀😀😀.png", { characters: 7 }, "😀😀😀.png"],
    ["😀😀😀.png", { characters: 6 }, "😀😀.png"],
    ["😀😀😀.png", { bytes: 15 }, "😀😀.png"],
    ["日本語.txt", { bytes: 12 }, "日本.txt"],
    ["日本語.txt", { bytes: 12, characters: 5 }, "日.txt"],
    ["a👩‍💻b.png", { characters: 7 }, "a.png"],
    ["🇫🇷🇨🇭.png", { characters: 7 }, "🇫🇷.png"],
    ["xe\u0323\u0301.pdf", { characters: 6 }, "x.pdf"],
    ["backup.tar.gz", { characters: 9 }, "ba.tar.gz"],
    [`report.${"x".repeat(17)}`, { characters: 8 }, "report.x"],
  ];
  for (const [name, limits, expected] of rows) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(name)} for ${JSON.stringify(limits)}`, () =>
      assert.equal(shortened(name, limits), expected));
  }

  it("never exceeds a limit or splits a character, and is a beginning of the name with its extension", () => {
    const names = fc.tuple(fc.string({ unit: "grapheme" }), fc.constantFrom("", ".pdf", ".tar.gz", ".документ"));
    fc.assert(
      fc.property(names, fc.nat(30), fc.nat(60), ([stem, extension], characters, bytes) => {
        const name = stem + extension;
        const short = shortened(name, { characters, bytes });
        assert.ok([...short].length <= characters && Buffer.byteLength(short) <= bytes);
        assert.doesNotMatch(short, /\p{Surrogate}/u);
        const end = extensionOf(name);
        assert.ok(name.startsWith(short.endsWith(end) ? short.slice(0, short.length - end.length) : short));
      }),
      runs(2000),
    );
  });

  it("takes no time to speak of for a name of a mebibyte, however much of it is kept", () => {
    for (const unit of ["a", ".", "😀", "👩‍💻", "\u0323\u0301", "\ud800", ".tar"]) {
      const name = unit.repeat(2 ** 20 / unit.length);
      for (const characters of [60, 2 ** 19]) {
        assertQuick(() => shortened(name, { characters }), name, 500);
      }
    }
  });
});
