import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { checkUploadTo, proposeKey } from "../../src/column/upload-to.js";
import { ConfigurationError, InvalidKeyError } from "../../src/errors.js";

const propose = (uploadTo: never, filename = "report.pdf", length = 255) =>
  proposeKey("Invoice.scan", uploadTo, {}, filename, length);

/** For what must not be called. */
function fail(): never {
  throw new Error("it was called");
}

describe("uploadTo as a folder", () => {
  it("puts each upload into a folder of its own, whose name has 128 random bits", async () => {
    const { key } = await propose("uploads" as never);
    assert.match(key, /^uploads\/[a-z0-9]{25,}\/report\.pdf$/);
    assert.notEqual((await propose("uploads" as never)).key, key);
  });

  it("may be empty: then uploads go right under the root", async () => {
    assert.match((await propose("" as never)).key, /^[a-z0-9]{25,}\/report\.pdf$/);
  });

  it("expands the patterns of strftime with the time in UTC", async () => {
    const before = new Date();
    const { key } = await propose("in/%Y-%m-%d/%H%M%S/%j/%y/100%%" as never);
    const [, date, time, day, year, percent] = key.split("/");
    const now = before.toISOString();
    assert.equal(date, now.slice(0, 10));
    assert.match(time!, /^\d{6}$/);
    assert.equal(Number(day), Math.floor((before.getTime() - Date.UTC(before.getUTCFullYear(), 0, 0)) / 86_400_000));
    assert.equal(year, now.slice(2, 4));
    assert.equal(percent, "100%");
  });

  it("proposes another random folder when a key is taken", async () => {
    const { key, next } = await propose("uploads" as never);
    assert.match(next(key), /^uploads\/[a-z0-9]{25,}\/report\.pdf$/);
    assert.notEqual(next(key), key);
  });

  it("cuts the name so that the key fits a short column, and keeps its extension", async () => {
    const long = `${"я".repeat(46)}.tar.gz`;
    const { key, next } = await propose("uploads" as never, long, 60);
    assert.match(key, /^uploads\/[a-z0-9]{30}\/я{14}\.tar\.gz$/);
    assert.match(next(key), /^uploads\/[a-z0-9]{30}\/я{14}\.tar\.gz$/);
    assert.match((await propose("" as never, long, 60)).key, /^[a-z0-9]{30}\/я{22}\.tar\.gz$/);
  });

  it("leaves the name as it is where the key just fits", async () => {
    assert.match((await propose("uploads" as never, "report.pdf", 49)).key, /^uploads\/[a-z0-9]{30}\/report\.pdf$/);
    assert.match((await propose("uploads" as never, "report.pdf", 48)).key, /^uploads\/[a-z0-9]{30}\/repor\.pdf$/);
  });

  it("leaves one character of the name where the column is too short for any", async () => {
    assert.match((await propose("uploads" as never, "report.pdf", 20)).key, /^uploads\/[a-z0-9]{30}\/r\.pdf$/);
  });

  for (const folder of ["/uploads", "../uploads", "a/../../b", "a//b", "uploads/", "a\\b", "C:/uploads", "a\0b"]) {
    it(`is refused when it is declared as ${JSON.stringify(folder)}`, () => {
      assert.throws(() => checkUploadTo("Invoice.scan", folder), {
        name: "ConfigurationError",
        code: "ERR_PRIVATE_FILE_CONFIGURATION",
        message: /^Invoice\.scan: .*\. Give a relative one such as "uploads\/%Y"\.$/s,
      });
    });
  }

  for (const folder of ["uploads/%Q", "uploads/%", "%A"]) {
    it(`is refused with the unknown pattern of ${JSON.stringify(folder)}`, () => {
      assert.throws(() => checkUploadTo("Invoice.scan", folder), /unknown pattern .* Use %Y %m %d/);
    });
  }

  for (const value of [42, null, {}, ["uploads"]]) {
    it(`is refused as ${JSON.stringify(value)}, which is neither a folder nor a function`, () => {
      assert.throws(() => checkUploadTo("Invoice.scan", value), ConfigurationError);
    });
  }
});

describe("uploadTo as a function", () => {
  it("is called with the entity and the portable name, and returns the whole key", async () => {
    const uploadTo = (entity: { id: number }, filename: string) => `invoices/${entity.id}/${filename}`;
    const { key } = await proposeKey("Invoice.scan", uploadTo, { id: 7 }, "report.pdf", 255);
    assert.equal(key, "invoices/7/report.pdf");
  });

  it("may be asynchronous", async () => {
    const { key } = await propose((async () => "a/b.pdf") as never);
    assert.equal(key, "a/b.pdf");
  });

  it("gets a suffix before the extension when its key is taken", async () => {
    const { key, next } = await propose((() => "uploads/report.pdf") as never);
    assert.match(next(key), /^uploads\/report_[a-z0-9]{7}\.pdf$/);
  });

  it("is given the whole name, and its key is cut only to make room for a suffix", async () => {
    const uploadTo = (_: unknown, filename: string) => `uploads/${filename}`;
    const { key, next } = await propose(uploadTo as never, "annual-report.pdf", 25);
    assert.equal(key, "uploads/annual-report.pdf");
    assert.match(next(key), /^uploads\/annua_[a-z0-9]{7}\.pdf$/);
  });

  const bad = [
    "/etc/passwd",
    "../x.pdf",
    "a/../../x",
    "",
    undefined,
    null,
    42,
    {},
    "a\0b",
    "a\\b",
    "uploads/",
    "x".repeat(5000),
    1n,
    Object.assign([], { toJSON: () => fail() }),
    new Date(Number.NaN),
  ];
  for (const returned of bad) {
    it(`fails with a typed error when it returns ${inspect(returned).slice(0, 30)}`, async () => {
      await assert.rejects(propose((() => returned) as never), (error: InvalidKeyError) => {
        assert.ok(error instanceof InvalidKeyError);
        assert.match(error.message, /^Invoice\.scan: "uploadTo" returned .*which is no key\. Return a relative key/s);
        return true;
      });
    });
  }

  it("fails with one line that has no control character of what it returns", async () => {
    const returned = "a\r\nb\x1b[31m\x7f\x9b2J\u2028\u202e";
    await assert.rejects(propose((() => returned) as never), ({ message, cause }: Error) => {
      for (const text of [message, (cause as Error).message]) assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      return true;
    });
  });

  it("fails with a typed error and the cause when it throws", async () => {
    const cause = new Error("no tenant");
    await assert.rejects(
      propose((() => {
        throw cause;
      }) as never),
      (error: InvalidKeyError) =>
        error instanceof InvalidKeyError && error.cause === cause && /"uploadTo" threw/.test(error.message),
    );
  });
});
