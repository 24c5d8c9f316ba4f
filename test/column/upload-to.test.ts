import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { checkUploadTo, proposeKey } from "../../src/column/upload-to.js";
import { ConfigurationError, InvalidKeyError } from "../../src/errors.js";
import { isOurs } from "../../src/storage/key.js";

const propose = (uploadTo: never, filename = "report.pdf", length = 255) =>
  proposeKey("Invoice.scan", uploadTo, {}, filename, length);

/** For what must not be called. */
function fail(): never {
  throw new Error("it was called");
}

describe("uploadTo as a folder", () => {
  it("puts each upload into a folder with a random name, which isOurs tells from others", async () => {
    const key = await propose("uploads" as never);
    assert.match(key, /^uploads\/[a-z0-9]{30}\/report\.pdf$/);
    assert.ok(isOurs(key));
    assert.notEqual(await propose("uploads" as never), key);
  });

  it("may be empty: then uploads go right under the root", async () => {
    const key = await propose("" as never);
    assert.match(key, /^[a-z0-9]{30}\/report\.pdf$/);
    assert.ok(isOurs(key));
  });

  it("expands the patterns of strftime with the time in UTC", async () => {
    const before = new Date();
    const key = await propose("in/%Y-%m-%d/%H%M%S/%j/%y/100%%" as never);
    const [, date, time, day, year, percent] = key.split("/");
    const now = before.toISOString();
    assert.equal(date, now.slice(0, 10));
    assert.match(time!, /^\d{6}$/);
    assert.equal(Number(day), Math.floor((before.getTime() - Date.UTC(before.getUTCFullYear(), 0, 0)) / 86_400_000));
    assert.equal(year, now.slice(2, 4));
    assert.equal(percent, "100%");
  });

  it("expands them with the time in UTC, also where the process is in another time zone", async (t) => {
    const { TZ = "" } = process.env;
    t.after(() => Object.assign(process.env, { TZ }));
    t.mock.timers.enable({ apis: ["Date"], now: Date.UTC(2023, 11, 31, 23, 59, 58) });
    for (const zone of ["Pacific/Kiritimati", "Pacific/Midway", "UTC"]) {
      process.env.TZ = zone;
      const key = await propose("%Y-%m-%d/%H-%M-%S/%j/%y" as never);
      assert.equal(key.split("/").slice(0, -2).join("/"), "2023-12-31/23-59-58/365/23", zone);
    }
  });

  it("takes what is no pattern of strftime as it is: {id} is a folder's name like any other", async () => {
    assert.match(await propose("uploads/{id}/$x/:y" as never), /^uploads\/\{id\}\/\$x\/:y\/[a-z0-9]{30}\/report\.pdf$/);
  });

  it("cuts the name so that the key fits a short column, and keeps its extension", async () => {
    const long = `${"я".repeat(46)}.tar.gz`;
    assert.match(await propose("uploads" as never, long, 60), /^uploads\/[a-z0-9]{30}\/я{14}\.tar\.gz$/);
    assert.match(await propose("" as never, long, 60), /^[a-z0-9]{30}\/я{22}\.tar\.gz$/);
  });

  it("leaves the name as it is where the key just fits", async () => {
    assert.match(await propose("uploads" as never, "report.pdf", 49), /^uploads\/[a-z0-9]{30}\/report\.pdf$/);
    assert.match(await propose("uploads" as never, "report.pdf", 48), /^uploads\/[a-z0-9]{30}\/repor\.pdf$/);
  });

  it("leaves one character of the name where the column is too short for any", async () => {
    assert.match(await propose("uploads" as never, "report.pdf", 20), /^uploads\/[a-z0-9]{30}\/r\.pdf$/);
  });

  for (const folder of ["/uploads", "../uploads", "a/../../b", "a//b", "uploads/", "a\\b", "C:/uploads", "a\0b"]) {
    it(`is refused when it is declared as ${JSON.stringify(folder)}`, () => {
      assert.throws(() => checkUploadTo("Invoice.scan", folder), {
        name: "ConfigurationError",
        code: "ERR_PRIVATE_FILE_CONFIGURATION",
        message: folder.endsWith("/")
          ? /^Invoice\.scan: .*\. Give a relative one such as "uploads\/%Y", without a slash at its end\.$/s
          : /^Invoice\.scan: .*\. Give a relative one such as "uploads\/%Y"\.$/s,
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
  it("is called with the entity and the portable name, and gets a random segment before the last one", async () => {
    const uploadTo = (entity: { id: number }, filename: string) => `invoices/${entity.id}/${filename}`;
    const propose = () => proposeKey("Invoice.scan", uploadTo, { id: 7 }, "report.pdf", 255);
    const key = await propose();
    assert.match(key, /^invoices\/7\/[a-z0-9]{30}\/report\.pdf$/);
    assert.ok(isOurs(key));
    assert.notEqual(await propose(), key);
  });

  it("sees no generated primary key before the row is inserted: what it makes of that is its own", async () => {
    const entity: { id?: number } = {};
    const uploadTo = ({ id }: { id?: number }, filename: string) => `invoices/${id ?? "new"}/${filename}`;
    assert.match(
      await proposeKey("Invoice.scan", uploadTo, entity, "a.pdf", 255),
      /^invoices\/new\/[a-z0-9]{30}\/a\.pdf$/,
    );
  });

  it("may be asynchronous, and may return a name without a folder", async () => {
    assert.match(await propose((async () => "a/b.pdf") as never), /^a\/[a-z0-9]{30}\/b\.pdf$/);
    assert.match(await propose((async () => "b.pdf") as never), /^[a-z0-9]{30}\/b\.pdf$/);
  });

  it("has its last segment made portable, and no other", async () => {
    const returned = "in voices/.hidden/%Y/-rf annual report?.pdf";
    assert.match(
      await propose((() => returned) as never),
      /^in voices\/\.hidden\/%Y\/[a-z0-9]{30}\/rf_annual_report_\.pdf$/,
    );
  });

  it("has its last segment cut so that the key fits a short column", async () => {
    const uploadTo = (_: unknown, filename: string) => `uploads/${filename}`;
    const key = await propose(uploadTo as never, "annual-report.pdf", 50);
    assert.match(key, /^uploads\/[a-z0-9]{30}\/annual-\.pdf$/);
    assert.equal(key.length, 50);
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
