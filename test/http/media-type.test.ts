import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isCharset } from "../../src/http/media-type.js";

/** The names of the Encoding Standard, but for the two that no text has. */
const NAMES = [
  ..."UTF-8 IBM866 KOI8-R KOI8-U macintosh x-mac-cyrillic GBK gb18030 Big5 EUC-JP ISO-2022-JP Shift_JIS EUC-KR".split(
    " ",
  ),
  ...[2, 3, 4, 5, 6, 7, 8, "8-I", 10, 13, 14, 15, 16].map((part) => `ISO-8859-${part}`),
  ...[874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => `windows-${page}`),
  ...["UTF-16BE", "UTF-16LE"],
];

describe("isCharset", () => {
  it("knows all names of the Encoding Standard, in any case", () => {
    for (const name of NAMES) {
      for (const spelt of [name, name.toLowerCase(), name.toUpperCase()]) assert.ok(isCharset(spelt), spelt);
    }
  });

  it("knows no name that Node's own decoder takes for another's", () => {
    for (const name of NAMES.filter((one) => one !== "ISO-8859-16")) {
      assert.equal(new TextDecoder(name).encoding, name.toLowerCase());
    }
  });

  it("knows no label, no character set of a database, and nothing that could not stand in a header", () => {
    const labels = [
      "utf8",
      "latin1",
      "us-ascii",
      "ascii",
      "iso-8859-1",
      "iso-8859-9",
      "cp1252",
      "sjis",
      "gb2312",
      "unicode",
    ];
    const ofDatabases = [
      "utf8mb4",
      "utf8mb3",
      "utf16",
      "koi8r",
      "euckr",
      "ujis",
      "cp1251",
      "binary",
      "WIN1252",
      "SQL_ASCII",
    ];
    const unsafe = [
      "",
      " utf-8",
      "utf-8 ",
      "utf-8\r\n",
      "utf-8; a=b",
      '"utf-8"',
      "utf-7",
      "x-user-defined",
      "replacement",
    ];
    for (const other of [...labels, ...ofDatabases, ...unsafe, null, undefined, 5, {}]) {
      assert.ok(!isCharset(other), String(other));
    }
  });
});
