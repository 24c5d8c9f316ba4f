import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "content-disposition";
import fc from "fast-check";
import { contentDisposition, downloadName } from "../../src/http/disposition.js";
import { FILE_NAMES, FOREIGN_NAMES, NAMES, SHAPED_NAMES } from "../support/file-names.js";
import { assertQuick, runs } from "../support/fuzz.js";

const TAME = /^[ -~]*$/;

/** Names of any kind, with many of the characters that matter. */
const anyName = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.string({
    unit: fc.constantFrom(
      ..."aZ0 .:/\\\"'%4;?*=<>|~$-_\t\n\0\x7f",
      "é",
      "e\u0301",
      "日",
      "😀",
      "\ud800",
      "\u202e",
      "\u200c",
      "\u200d",
      "م",
      "\u064e",
      "क",
      "\u094d",
      "ᠮ",
      "\u180e",
      "\u180b",
      "\ufe0f",
      "\u20e3",
      "\u212a",
      "👩",
      "🏽",
      "🏴",
      "\u{e0067}",
      "\u{e007f}",
      "\u{e0100}",
      "葛",
      "．",
      "／",
      "＂",
    ),
    maxLength: 300,
  }),
  fc.tuple(fc.string({ unit: "grapheme", maxLength: 3 }), fc.nat({ max: 1500 })).map(([a, n]) => a.repeat(n)),
  fc.tuple(fc.constantFrom("CON", "nul", "COM¹", "..", "-", "x".repeat(253)), fc.string()).map(([a, b]) => a + b),
);

describe("downloadName", () => {
  for (const [name, offered] of FILE_NAMES) {
    const shown = name.length > 60 ? `${name.length} characters` : JSON.stringify(name);
    it(`offers ${shown} as ${JSON.stringify(offered.slice(0, 60))}`, () => {
      assert.equal(downloadName(name), offered);
    });
  }

  it("removes every control character: C0, DEL and C1", () => {
    const codes = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i)];
    for (const code of codes)
      assert.equal(downloadName(`a${String.fromCharCode(code)}b`), "ab", `U+${code.toString(16)}`);
  });

  it("removes every character that turns the direction of text or has no width", () => {
    const codes = [
      0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c, 0xfeff,
    ];
    for (const code of [...codes, 0x200b, 0x200c, 0x200d, 0x2060, 0x00ad, 0x180e]) {
      const name = `invoice${String.fromCharCode(code)}fdp.exe`;
      assert.equal(downloadName(name), "invoicefdp.exe", `U+${code.toString(16)}`);
    }
  });

  it("finds the name behind a long run of spaces, and the extension behind a long run of letters", () => {
    assert.equal(downloadName(`${" ".repeat(1e5)}a.pdf${" ".repeat(1e5)}`), "a.pdf");
    assert.equal(downloadName(`${"a".repeat(1e5)}.pdf`), `${"a".repeat(251)}.pdf`);
    assert.equal(downloadName(`a${" ".repeat(1e5)}.pdf`), `a${" ".repeat(250)}.pdf`);
  });

  describe("long names", () => {
    const bytes = (name: string): number => Buffer.byteLength(name);

    it("keeps a name of 255 bytes as it is", () => {
      const name = `${"€".repeat(83)}ab.pdf`;
      assert.equal(bytes(name), 255);
      assert.equal(downloadName(name), name);
    });

    it("cuts a name of 256 bytes before its extension", () => {
      assert.equal(downloadName(`${"€".repeat(84)}.pdf`), `${"€".repeat(83)}.pdf`);
    });

    it("cuts a name of 4 KiB to 255 bytes and keeps its extension", () => {
      assert.equal(downloadName(`${"a".repeat(4092)}.pdf`), `${"a".repeat(251)}.pdf`);
    });

    it("keeps an extension of 16 characters, and none that is longer", () => {
      const stem = "a".repeat(300);
      assert.equal(downloadName(`${stem}.${"b".repeat(16)}`), `${"a".repeat(238)}.${"b".repeat(16)}`);
      assert.equal(downloadName(`${stem}.${"b".repeat(17)}`), "a".repeat(255));
    });

    it("does not take 200 characters after a dot for an extension", () => {
      assert.equal(downloadName(`${"a".repeat(100)}.${"b".repeat(200)}`), `${"a".repeat(100)}.${"b".repeat(154)}`);
    });

    it("does not take the end of a sentence for an extension", () => {
      const name = downloadName(`${"a".repeat(300)}. And so on`);
      assert.equal(name, "a".repeat(255));
    });

    it("cuts between graphemes, not within an emoji, a flag or an accented letter", () => {
      for (const grapheme of ["👍🏽", "🇫🇷", "x\u0323\u0302", "한", "각"]) {
        const size = bytes(grapheme.normalize("NFC"));
        for (let pad = 0; pad < size; pad++) {
          const name = downloadName(`${"a".repeat(pad)}${grapheme.repeat(200)}.pdf`);
          const count = Math.floor((255 - 4 - pad) / size);
          assert.equal(name, `${"a".repeat(pad)}${grapheme.normalize("NFC").repeat(count)}.pdf`);
        }
      }
    });

    it("cuts a name of joined emoji between them, and a name of joined letters after a joiner at the most", () => {
      const name = downloadName(`${"👩\u200d💻".repeat(100)}.pdf`);
      assert.equal(name, `${"👩\u200d💻".repeat(22)}.pdf`);
      const persian = downloadName(`${"م\u200c".repeat(100)}.pdf`);
      assert.equal(persian, `${"م\u200c".repeat(50)}.pdf`);
    });

    it("keeps both extensions of an archive", () => {
      assert.equal(downloadName(`${"a".repeat(300)}.tar.gz`), `${"a".repeat(248)}.tar.gz`);
    });

    it("leaves neither a space nor a dot where it cuts a name without an extension", () => {
      assert.equal(downloadName(`${"a".repeat(253)}. ${"b".repeat(40)}`), "a".repeat(253));
    });

    it("prefixes a device's name that the cut lays bare", () => {
      assert.equal(downloadName(`CONx${"\u0323".repeat(200)}`), "_CON");
    });

    it("makes room for a prefix", () => {
      const name = downloadName(`-${"a".repeat(250)}.pdf`);
      assert.equal(name, `_-${"a".repeat(249)}.pdf`);
    });

    it("falls back when the first grapheme alone is too long", () => {
      assert.equal(downloadName(`x${"\u0323".repeat(300)}`), "download");
      assert.equal(downloadName(`x${"\u0323".repeat(300)}.pdf`), "_.pdf");
    });
  });

  it("takes no time to speak of for names of 1 MiB", () => {
    const units = [".", " ", "/", "a/", ". ", "\u0323\u0301", "\u200b", "\ud800", "%41", "😀"];
    for (const unit of units) {
      for (const name of [unit.repeat(2 ** 20 / unit.length), `x${unit.repeat(2 ** 20 / unit.length)}x.pdf`]) {
        assertQuick(() => contentDisposition(name, "attachment"), name, 3000);
      }
    }
  });

  describe("properties", () => {
    it("never throws, and its result is safe: neither empty, nor long, nor a path, nor hidden, nor changed again", () => {
      fc.assert(
        fc.property(anyName, (name) => {
          const offered = downloadName(name);
          assert.ok(offered.length > 0 && Buffer.byteLength(offered) <= 255);
          assert.doesNotMatch(offered, /[/\\:\p{Cc}\p{Surrogate}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u);
          assert.doesNotMatch(offered, /[ -~](?!\ufe0f\u20e3)\p{Default_Ignorable_Code_Point}/u);
          assert.doesNotMatch(offered, /^[.\s-]|[.\s]$/);
          assert.doesNotMatch(offered, /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i);
          assert.equal(offered, offered.normalize("NFC"));
          assert.equal(downloadName(offered), offered);
        }),
        runs(3000),
      );
    });

    it("leaves ordinary names alone", () => {
      const ordinary = fc.stringMatching(/^[A-Zd-z0-9é日][A-Za-z0-9é日 ,'()_-]{0,40}\.(pdf|txt|gz)$/);
      fc.assert(
        fc.property(ordinary, (name) => {
          fc.pre(!/^(con|prn|aux|nul|com\d|lpt\d) *\./i.test(name));
          assert.equal(downloadName(name), name);
        }),
        runs(1000),
      );
    });
  });
});

describe("contentDisposition", () => {
  const rows: [name: string, header: string][] = [
    ["report.pdf", 'attachment; filename="report.pdf"'],
    ["my report.pdf", 'attachment; filename="my report.pdf"'],
    ["Ünï.pdf", "attachment; filename=\"Uni.pdf\"; filename*=UTF-8''%C3%9Cn%C3%AF.pdf"],
    ['a"b', "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"],
    ["€ 5.pdf", "attachment; filename=\"_ 5.pdf\"; filename*=UTF-8''%E2%82%AC%205.pdf"],
    ["50%.pdf", 'attachment; filename="50%.pdf"'],
    ["foo-%41", "attachment; filename=\"foo-_41\"; filename*=UTF-8''foo-%2541"],
    ["setup.bat;.pdf", "attachment; filename=\"setup.bat_.pdf\"; filename*=UTF-8''setup.bat%3B.pdf"],
    ['a.sh";x="', "attachment; filename=\"a.sh__x=_\"; filename*=UTF-8''a.sh%22%3Bx%3D%22"],
    ["=?utf-8?Q?x=41?=", "attachment; filename=\"=_utf-8_Q_x=41_=\"; filename*=UTF-8''%3D%3Futf-8%3FQ%3Fx%3D41%3F%3D"],
    ["a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie_ x=1"'],
    ["ﬁle ½.pdf", "attachment; filename=\"file 1_2.pdf\"; filename*=UTF-8''%EF%AC%81le%20%C2%BD.pdf"],
    ["", 'attachment; filename="download"'],
    ["a👩\u200d💻.pdf", "attachment; filename=\"a__.pdf\"; filename*=UTF-8''a%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB.pdf"],
  ];
  for (const [name, header] of rows) {
    it(`writes ${header} for ${JSON.stringify(name)}`, () => {
      assert.equal(contentDisposition(name, "attachment"), header);
    });
  }

  it("writes inline where that is asked for", () => {
    assert.equal(contentDisposition("a.png", "inline"), 'inline; filename="a.png"');
  });

  it("makes the ASCII name safe again after its characters were simplified", () => {
    const fallback = (name: string): string => plainName(contentDisposition(name, "attachment"));
    assert.equal(fallback("．．／etc／passwd"), "_.._etc_passwd");
    assert.equal(fallback("ＣＯＮ"), "_CON");
    assert.equal(fallback("a：b＼c＂d"), "a_b_c_d");
    assert.equal(fallback("．htaccess"), "_.htaccess");
    assert.equal(fallback("％41"), "_41");
    assert.equal(fallback("…"), "download");
    assert.ok(fallback("\ufdfa".repeat(80)).length <= 255);
  });

  for (const [name, offered] of [...NAMES, ...FOREIGN_NAMES, ...SHAPED_NAMES]) {
    const shown = name.length > 60 ? `${name.length} characters` : JSON.stringify(name);
    it(`writes a header in ASCII for ${shown} that reads back as ${JSON.stringify(offered.slice(0, 60))}`, () => {
      const header = contentDisposition(name, "attachment");
      assert.match(header, TAME);
      assert.equal(parse(header).parameters.filename, offered);
    });
  }

  describe("properties", () => {
    it("is printable ASCII with a quoted filename, and reads back as the name that downloadName makes", () => {
      fc.assert(
        fc.property(anyName, fc.constantFrom("attachment" as const, "inline" as const), (name, type) => {
          const header = contentDisposition(name, type);
          assert.match(header, TAME);
          assert.match(
            header,
            /^(attachment|inline); filename="[^"\\/:;<>|?*]+"(; filename\*=UTF-8''[\w%!#$&+.^`|~-]+)?$/,
          );
          assert.equal(parse(header).type, type);
          assert.equal(parse(header).parameters.filename, downloadName(name));
        }),
        runs(3000),
      );
    });

    it("has a plain name that downloadName would not change and that hides no percent-encoding", () => {
      fc.assert(
        fc.property(anyName, (name) => {
          const plain = plainName(contentDisposition(name, "attachment"));
          assert.equal(downloadName(plain), plain);
          assert.doesNotMatch(plain, /%[0-9a-f]{2}/i);
        }),
        runs(3000),
      );
    });
  });
});

function plainName(header: string): string {
  return parse(header, { extended: false }).parameters.filename ?? "";
}
