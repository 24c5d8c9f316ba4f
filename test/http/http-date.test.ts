import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatHttpDate, parseHttpDate } from "../../src/http/http-date.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

const NOW = new Date("2026-11-23T12:00:00Z");

describe("parseHttpDate", () => {
  describe("the three forms (RFC 9110 §5.6.7)", () => {
    const rows: [value: string, iso: string][] = [
      ["Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
      ["Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
      ["Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000Z"],
      ["Sun Nov 16 08:49:37 1994", "1994-11-16T08:49:37.000Z"],
      ["Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59.000Z"],
      ["Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.000Z"],
      ["Fri, 01 Jan 2174 00:00:00 GMT", "2174-01-01T00:00:00.000Z"],
      ["Sun, 06 Nov 0099 08:49:37 GMT", "0099-11-06T08:49:37.000Z"],
      ["Thursday, 31-Dec-26 00:00:00 GMT", "2026-12-31T00:00:00.000Z"],
    ];
    for (const [value, iso] of rows) {
      it(`reads ${JSON.stringify(value)} as ${iso}`, () => {
        assert.equal(parseHttpDate(value, NOW)?.toISOString(), iso);
      });
    }
  });

  it("takes a weekday that is not the date's own, which §5.6.7 lets a recipient do", () => {
    assert.equal(parseHttpDate("Mon, 06 Nov 1994 08:49:37 GMT")?.toISOString(), "1994-11-06T08:49:37.000Z");
  });

  it("takes the leap second for the second after 23:59:59", () => {
    assert.equal(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT")?.toISOString(), "2017-01-01T00:00:00.000Z");
  });

  describe("years of two digits, in November 2026 (RFC 9110 §5.6.7)", () => {
    const rows: [value: string, year: number, why: string][] = [
      ["Monday, 23-Nov-76 12:00:00 GMT", 2076, "that is fifty years ahead and no more"],
      ["Monday, 23-Nov-76 12:00:01 GMT", 1976, "2076 is a second more than fifty years ahead"],
      ["Friday, 01-Jan-77 00:00:00 GMT", 1977, "2077 is too far ahead"],
      ["Friday, 31-Dec-99 00:00:00 GMT", 1999, "2099 is too far ahead"],
      ["Saturday, 01-Jan-00 00:00:00 GMT", 2000, "2000 is past"],
      ["Friday, 01-Jan-70 00:00:00 GMT", 2070, "2070 is less than fifty years ahead"],
    ];
    for (const [value, year, why] of rows) {
      it(`reads ${value} as ${year}: ${why}`, () => {
        assert.equal(parseHttpDate(value, NOW)?.getUTCFullYear(), year);
      });
    }

    it("reaches into the next century near the end of one", () => {
      const date = parseHttpDate("Wednesday, 01-Jan-10 00:00:00 GMT", new Date("2090-01-01T00:00:00Z"));
      assert.equal(date?.getUTCFullYear(), 2110);
    });

    it("takes 29-Feb-00 for the year that has such a day", () => {
      const date = parseHttpDate("Tuesday, 29-Feb-00 00:00:00 GMT", new Date("2060-01-01T00:00:00Z"));
      assert.equal(date?.toISOString(), "2000-02-29T00:00:00.000Z");
    });
  });

  describe("what is no HTTP date", () => {
    const rows = [
      "",
      "garbage",
      "0",
      "-1",
      "1403716338",
      "2014-06-25",
      "2014-06-25T17:12:18Z",
      "2014-06-25T17:12:18.000Z",
      "Wed, 31 Feb 2014 17:12:18 GMT",
      "Wed, 31 Apr 2014 17:12:18 GMT",
      "Wed, 29 Feb 2023 17:12:18 GMT",
      "Thu, 29 Feb 1900 17:12:18 GMT",
      "Tuesday, 29-Feb-23 00:00:00 GMT",
      "Wed, 00 Jun 2014 17:12:18 GMT",
      "Wed, 32 Jun 2014 17:12:18 GMT",
      "Wed, 25 Jun 2014 24:00:00 GMT",
      "Wed, 25 Jun 2014 17:60:00 GMT",
      "Wed, 25 Jun 2014 17:12:60 GMT",
      "Wed, 25 Jun 2014 23:59:61 GMT",
      "wed, 25 jun 2014 17:12:18 gmt",
      "WED, 25 JUN 2014 17:12:18 GMT",
      "Wed, 25 Jun 2014 17:12:18 gmt",
      "Wed, 25 Jun 2014 17:12:18 UTC",
      "Wed, 25 Jun 2014 17:12:18 +0000",
      "Wed, 25 Jun 2014 17:12:18",
      "25 Jun 2014 17:12:18 GMT",
      "Wed 25 Jun 2014 17:12:18 GMT",
      "Wed, 5 Jun 2014 17:12:18 GMT",
      "Wed,  5 Jun 2014 17:12:18 GMT",
      "Wed, 25 Jun 14 17:12:18 GMT",
      "Wed, 25-Jun-14 17:12:18 GMT",
      "Wednesday, 25-Jun-2014 17:12:18 GMT",
      "Wed Jun 25 17:12:18 2014 GMT",
      "Wed Jun 5 17:12:18 2014",
      " Wed, 25 Jun 2014 17:12:18 GMT",
      "Wed, 25 Jun 2014 17:12:18 GMT\n",
      "Wed, 25 Jun 2014 17:12:18 GMT, Wed, 25 Jun 2014 17:12:18 GMT",
      "Xyz, 25 Jun 2014 17:12:18 GMT",
      "Wed, 25 Juy 2014 17:12:18 GMT",
      "Wed, 25 Jun 2014 7:12:18 GMT",
      '"Wed, 25 Jun 2014 17:12:18 GMT"',
    ];
    for (const value of rows) {
      it(`makes nothing of ${JSON.stringify(value)}`, () => {
        assert.equal(parseHttpDate(value, NOW), undefined);
      });
    }
  });

  it("takes no time to speak of for hostile values", () => {
    const beginnings = ["", "Sun, ", "Sun Nov ", "Sunday, ", "Sun, 06 Nov 1994 08:49:37 GMT"];
    for (const value of hostileTexts(...beginnings)) assertQuick(() => parseHttpDate(value, NOW), value);
  });

  describe("properties", () => {
    const date = fc.date({
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });

    it("reads back what formatHttpDate writes, to the second", () => {
      fc.assert(
        fc.property(date, (any) => {
          assert.equal(parseHttpDate(formatHttpDate(any))?.getTime(), Math.floor(any.getTime() / 1000) * 1000);
        }),
        runs(1000),
      );
    });

    it("reads a two-digit year as a year with those digits, no more than fifty years away", () => {
      const oldEnough = date.filter((any) => any.getUTCFullYear() >= 200 && any.getUTCFullYear() <= 9900);
      fc.assert(
        fc.property(fc.nat({ max: 99 }), oldEnough, (year, now) => {
          const digits = String(year).padStart(2, "0");
          const read = parseHttpDate(`Monday, 15-Jun-${digits} 12:00:00 GMT`, now);
          assert.equal(read!.getUTCFullYear() % 100, year);
          const ahead = read!.getUTCFullYear() - now.getUTCFullYear();
          assert.ok(ahead <= 50 && ahead >= -50, `${ahead} years ahead`);
        }),
        runs(1000),
      );
    });

    it("reads all three forms of a date as that date", () => {
      const recent = fc.date({ min: new Date("1990-01-01"), max: new Date("2070-01-01"), noInvalidDate: true });
      fc.assert(
        fc.property(recent, (any) => {
          for (const form of formsOf(any))
            assert.equal(formatHttpDate(parseHttpDate(form, NOW)!), formatHttpDate(any), form);
        }),
        runs(1000),
      );
    });

    it("reads any of the three forms with one character changed as what it says, or not at all", () => {
      const other = fc.constantFrom(..."0123456789 :,-JanFebMarGMTy", "", "\t", "é");
      fc.assert(
        fc.property(date, fc.nat({ max: 2 }), fc.nat({ max: 34 }), other, (any, which, place, character) => {
          const form = formsOf(any)[which]!;
          const changed = form.slice(0, place) + character + form.slice(place + 1);
          const read = parseHttpDate(changed, NOW);
          if (read === undefined || changed.includes("23:59:60")) return;
          const said = formsOf(read).map(withoutWeekday);
          assert.ok(said.includes(withoutWeekday(changed)), `${changed} was read as ${read.toISOString()}`);
        }),
        runs(3000),
      );
    });

    it("never throws, and answers with a valid date or none", () => {
      const nearly = fc.stringMatching(/^(Sun, |Sunday, |Sun )[ 0-9:A-Za-z-]{0,30}$/);
      fc.assert(
        fc.property(fc.oneof(fc.string(), nearly), (value) => {
          assert.ok(!Number.isNaN(parseHttpDate(value)?.getTime() ?? 0));
        }),
        runs(1000),
      );
    });

    it("reads a date with one character changed as what it says, or not at all", () => {
      fc.assert(
        fc.property(date, fc.nat({ max: 28 }), fc.nat({ max: 9 }), (any, place, digit) => {
          const text = formatHttpDate(any);
          const changed = text.slice(0, place) + digit + text.slice(place + 1);
          const read = parseHttpDate(changed);
          assert.ok(
            read === undefined || changed.slice(4) === formatHttpDate(read).slice(4) || changed.includes(":60 "),
          );
        }),
        runs(1000),
      );
    });
  });
});

/** A date in the three forms of RFC 9110 §5.6.7: IMF-fixdate, RFC 850 and asctime. */
function formsOf(date: Date): [string, string, string] {
  const fixdate = formatHttpDate(date);
  const [weekday = "", day = "", month = "", year = "", time = ""] = fixdate.split(/,? /);
  const long = date.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" });
  return [
    fixdate,
    `${long}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
    `${weekday} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`,
  ];
}

/** With a day of one digit as asctime writes it, and with a zero before it, a date says the same. */
function withoutWeekday(date: string): string {
  return date.replace(/^[A-Z][a-z]+(,?) /, "$1").replace(/^([A-Z][a-z]{2}) 0/, "$1  ");
}

describe("formatHttpDate", () => {
  it("writes an IMF-fixdate", () => {
    assert.equal(formatHttpDate(new Date("1994-11-06T08:49:37Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
  });

  it("cuts off what goes beyond whole seconds", () => {
    assert.equal(formatHttpDate(new Date("1994-11-06T08:49:37.999Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert.equal(formatHttpDate(new Date(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
  });

  it("writes years with four digits", () => {
    assert.equal(formatHttpDate(new Date("0099-11-06T08:49:37Z")), "Fri, 06 Nov 0099 08:49:37 GMT");
  });

  for (const date of [
    new Date(Number.NaN),
    new Date("+010000-01-01T00:00:00Z"),
    new Date(8.64e15),
    new Date("-000001-12-31T23:59:59Z"),
  ]) {
    it(`throws a RangeError for ${date.getTime()}, which HTTP has no form for`, () => {
      assert.throws(() => formatHttpDate(date), RangeError);
    });
  }
});
