import assert from "node:assert/strict";
import { basename, resolve, sep } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { InvalidKeyError } from "../../src/errors.js";
import {
  assertKey,
  assertPrefix,
  isOurs,
  isRandomSegment,
  portableName,
  randomSegment,
} from "../../src/storage/key.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

/** Text as JavaScript has it: any UTF-16 units, with separators and dots more often than chance gives them. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "/",
        "\\",
        ".",
        "..",
        "\0",
        " ",
        "_",
        "-",
        "%2e",
        "CON",
        "nul",
        "COM1",
        ".pdf",
        "\u0301",
        "\u200d",
      ),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

describe("assertKey", () => {
  it("throws nothing but an InvalidKeyError, whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), (key) => accepts(key) !== undefined),
      runs(100),
    );
    fc.assert(
      fc.property(anyText, (key) => accepts(key) !== undefined),
      runs(100),
    );
  });

  it("lets no key through that leaves a folder or means another path", () => {
    const root = resolve("/srv/files");
    fc.assert(
      fc.property(anyText, (key) => {
        fc.pre(accepts(key));
        assert.equal(resolve(root, key), root + sep + key.split("/").join(sep));
      }),
      runs(2000),
    );
  });

  it("says what is wrong and what to do", () => {
    assert.throws(() => assertKey("a/../b"), {
      name: "InvalidKeyError",
      code: "ERR_PRIVATE_FILE_KEY",
      key: "a/../b",
      message: 'Key "a/../b": it has the segment "..". Give a relative path such as "uploads/report.pdf".',
    });
    assert.throws(
      () => assertKey("x".repeat(1_000_000)),
      ({ message }: Error) => message.length < 300,
    );
  });

  it("takes no time to speak of for hostile keys", () => {
    for (const key of hostileTexts("", "a", "a/", ".", "%2e", "c:")) assertQuick(() => accepts(key), key);
  });

  it("takes a segment of 255 bytes and a key of 1024, and not one more", () => {
    const long = `${"a".repeat(255)}/${"b".repeat(255)}/${"c".repeat(255)}/${"d".repeat(255)}`;
    assert.ok(accepts("€".repeat(85)));
    assert.equal(accepts("€".repeat(86)), false);
    assert.ok(accepts(`${long}/`.slice(0, 1023)));
    assert.equal(accepts(`${long}/x`), false);
  });
});

describe("assertPrefix", () => {
  it("lets through every beginning of a key", () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (key, length) => {
        fc.pre(accepts(key));
        const prefix = key.slice(0, length % (key.length + 1));
        if (!/[\ud800-\udbff]$/.test(prefix)) assertPrefix(prefix);
      }),
      runs(100),
    );
    for (const prefix of ["", ".", "..", "a/", "a/..", "a".repeat(255)]) assertPrefix(prefix);
  });

  it("refuses what no key starts with", () => {
    for (const prefix of ["/", "../", "a//", "./", "a\0", "a\\", "C:", "\ud800", "a".repeat(256), undefined, {}]) {
      assert.throws(() => assertPrefix(prefix), InvalidKeyError, JSON.stringify(prefix));
    }
  });
});

describe("portableName", () => {
  const names: [string, string][] = [
    ["report.pdf", "report.pdf"],
    ["my report (final).pdf", "my_report__final_.pdf"],
    ["C:\\Users\\me\\report.pdf", "report.pdf"],
    ["Отчёт 2026.docx", "Отчёт_2026.docx"],
    ["報告書.pdf", "報告書.pdf"],
    ["हिन्दी.txt", "हिन्दी.txt"],
    ["cafe\u0301.pdf", "caf\u00e9.pdf"],
    ["100%.pdf", "100_.pdf"],
    ["..%2f2%2fsecret.pdf", "_2f2_2fsecret.pdf"],
    [".env.pdf", "env.pdf"],
    [".htaccess", "htaccess"],
    ["-rf", "rf"],
    ["--.-x", "x"],
    ["report.pdf.", "report.pdf"],
    ["report.pdf ", "report.pdf"],
    ["report.pdf. . .", "report.pdf"],
    ["a:b", "a_b"],
    ["f::$DATA", "f___DATA"],
    ["$I30", "_I30"],
    ["a．b", "a_b"],
    ["👩‍👩‍👧.png", "_____.png"],
    ["\u0301x.pdf", "_x.pdf"],
    ["a\u200b\u202eb.pdf", "a__b.pdf"],
    ["a\u034f\u3164b.pdf", "a__b.pdf"],
    ["a\ud800.pdf", "a_.pdf"],
    ["a\udfff.pdf", "a_.pdf"],
    ["a\r\nb\0.pdf", "a__b_.pdf"],
    ["", "file"],
    [".", "file"],
    ["..", "file"],
    ["/", "file"],
    ["foo/", "file"],
    [" ", "file"],
    ["???", "___"],
  ];
  for (const [given, expected] of names) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(given)}`, () =>
      assert.equal(portableName(given), expected));
  }

  const devices = ["CON", "PRN", "AUX", "NUL"];
  for (const digit of "123456789¹²³") devices.push(`COM${digit}`, `LPT${digit}`);
  for (const device of devices) {
    it(`guards the Windows device ${device}`, () => {
      for (const name of [device, device.toLowerCase(), `${device}.txt`, `${device}.tar.gz`, `${device}. .`]) {
        assert.ok(portableName(name).startsWith(`_${name.slice(0, 3)}`), name);
      }
      assert.equal(portableName(`${device}x.txt`), `${device}x.txt`);
    });
  }

  // CVE-2021-28658, CVE-2021-31542: the names of Django's own test.
  const traversals = [
    "/tmp/hax0rd.txt",
    "C:\\Windows\\hax0rd.txt",
    "C:/Windows/hax0rd.txt",
    "\\tmp\\hax0rd.txt",
    "/tmp\\hax0rd.txt",
    "subdir/hax0rd.txt",
    "subdir\\hax0rd.txt",
    "sub/dir\\hax0rd.txt",
    "../../hax0rd.txt",
    "..\\..\\hax0rd.txt",
    "../..\\hax0rd.txt",
    "..\\../hax0rd.txt",
    "..//hax0rd.txt",
  ];
  for (const name of traversals) {
    it(`makes "hax0rd.txt" of ${JSON.stringify(name)}`, () => assert.equal(portableName(name), "hax0rd.txt"));
  }

  for (const name of ["/tmp/", "/tmp/..", "/tmp/.", "../", "/..", "/.", "\\..\\"]) {
    it(`makes a safe name of ${JSON.stringify(name)}`, () => assert.equal(portableName(name), "file"));
  }

  it("cuts to 100 bytes between characters and keeps the extension", () => {
    assert.equal(portableName(`${"a".repeat(300)}.pdf`), `${"a".repeat(96)}.pdf`);
    assert.equal(portableName(`${"€uro".repeat(300)}.tar.gz`), `${"_uro".repeat(23)}_.tar.gz`);
    assert.equal(portableName(`${"я".repeat(300)}.документ`), `${"я".repeat(41)}.документ`);
    assert.equal(portableName(`aa${"e\u0301\u0323".repeat(300)}.pdf`), `aa${"ẹ\u0301".repeat(18)}.pdf`);
    assert.equal(portableName(`a${"\u0301\u0323".repeat(300)}.pdf`), "file.pdf");
    assert.equal(portableName(`${"a".repeat(99)}.${"b".repeat(100)}`), "a".repeat(99));
    assert.equal(portableName(`conx${"\u0301".repeat(99)}.pdf`), "_con.pdf");
  });

  const short: [string, number, string][] = [
    ["report.pdf", 10, "report.pdf"],
    ["report.pdf", 9, "repor.pdf"],
    ["backup.tar.gz", 9, "ba.tar.gz"],
    ["Отчёт.docx", 8, "Отч.docx"],
    ["𝒳𝒴𝒵.pdf", 6, "𝒳𝒴.pdf"],
    ["x\u0301\u0323y.pdf", 7, "x\u0323\u0301.pdf"],
    ["x\u0301\u0323y.pdf", 6, "fi.pdf"],
    ["report.pdf", 5, "r.pdf"],
    ["report.pdf", 1, "r.pdf"],
    ["x\u0301\u0323.pdf", 1, "f.pdf"],
    ["report.final", 7, "r.final"],
    ["v1.a-very-long-extension", 3, "v1"],
    ["console.txt", 7, "_co.txt"],
    ["", 2, "fi"],
  ];
  for (const [given, characters, expected] of short) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(given)} where ${characters} characters are asked for`, () =>
      assert.equal(portableName(given, characters), expected));
  }

  it("gives as few characters as it is asked for, unless one and the extension are more", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: -5, max: 120 }), (name, characters) => {
        const portable = portableName(name, characters);
        assert.match(portable, /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]*$/u);
        assert.equal(portable, portableName(portable));
        const shortest = [...portableName(name, 1)].length;
        assert.ok([...portable].length <= Math.max(characters, shortest));
      }),
      runs(2000),
    );
  });

  it("gives a key that is portable, whatever it is given", () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const portable = portableName(name);
        assertKey(portable);
        assert.match(portable, /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]*$/u);
        assert.doesNotMatch(portable, /\.$/);
        assert.equal(portable, portable.normalize("NFC"));
        assert.equal(portable, basename(portable));
        assert.ok(Buffer.byteLength(portable) <= 100);
      }),
      runs(2000),
    );
  });

  it("leaves a portable name as it is", () => {
    fc.assert(
      fc.property(anyText, (name) => assert.equal(portableName(portableName(name)), portableName(name))),
      runs(2000),
    );
  });

  it("takes no time to speak of for hostile names", () => {
    for (const name of hostileTexts("", "a", "a.", "con")) assertQuick(() => portableName(name), name);
  });

  it("takes a moment for a name of a mebibyte", () => {
    for (const unit of ["a", ".", " ", "/", "\u0301", "\u0301\u0323", "👩‍👩", "\ud800", ".tar", "-.", "\u1100"]) {
      const name = unit.repeat(2 ** 20 / unit.length);
      assertQuick(() => assert.ok(portableName(name).length <= 100), name, 200);
    }
  });
});

describe("randomSegment", () => {
  it("has 128 bits, one length, and no upper case", () => {
    const segments = Array.from({ length: 10_000 }, randomSegment);
    for (const segment of segments) assert.match(segment, /^[0-9a-z]{30}$/);
    assert.equal(new Set(segments).size, segments.length);
    const firsts = new Set(segments.map((segment) => segment[24]));
    assert.equal(firsts.size, 36);
  });
});

describe("isRandomSegment", () => {
  it("knows what randomSegment makes, and nothing that differs in one character", () => {
    for (const segment of Array.from({ length: 1000 }, randomSegment)) {
      assert.ok(isRandomSegment(segment));
      const at = Math.floor(Math.random() * segment.length);
      const other = segment[at] === "a" ? "b" : "a";
      assert.ok(!isRandomSegment(segment.slice(0, at) + other + segment.slice(at + 1)), segment);
    }
  });

  it("refuses other names, also such as look alike", () => {
    const segment = randomSegment();
    const others = ["", "0".repeat(30), "a".repeat(30), segment.toUpperCase(), `${segment}a`, segment.slice(1)];
    const uuid = "0194e2a0-7b1c-7d3e-9f00-1234567890ab";
    for (const other of [...others, `${segment}\n`, uuid, uuid.replaceAll("-", "").slice(2)]) {
      assert.ok(!isRandomSegment(other), other);
    }
  });
});

describe("isOurs", () => {
  const segment = randomSegment();
  for (const key of [`${segment}/a.txt`, `uploads/${segment}/a.txt`, `a/b/${segment}/${segment}`]) {
    it(`is true for ${key.replaceAll(segment, "<segment>")}`, () => assert.ok(isOurs(key)));
  }
  const foreign = ["", "/", "a.txt", "uploads/a.txt", segment, `uploads/${segment}`, `${segment}/deeper/a.txt`];
  for (const key of [...foreign, `x${segment}/a.txt`, `uploads/${"0".repeat(30)}/a.txt`, `uploads/${segment}x/a.txt`]) {
    it(`is false for "${key.replaceAll(segment, "<segment>")}"`, () => assert.ok(!isOurs(key)));
  }
});

/** Whether a key is accepted. Fails for any error but an InvalidKeyError. */
function accepts(key: unknown): boolean {
  try {
    assertKey(key);
    return true;
  } catch (error) {
    assert.ok(error instanceof InvalidKeyError, String(error));
    return false;
  }
}
