import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatHttpDate } from "../../src/http/http-date.js";
import {
  evaluatePreconditions,
  ifRangeHolds,
  type PreconditionOutcome,
  type Validators,
} from "../../src/http/preconditions.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

const ETAG = '"Abc-123"';
const MODIFIED = "Wed, 25 Jun 2014 17:12:18 GMT";
const EARLIER = "Wed, 25 Jun 2014 17:12:17 GMT";
const LATER = "Wed, 25 Jun 2014 17:12:19 GMT";
const validators: Validators = { etag: ETAG, lastModified: new Date("2014-06-25T17:12:18Z") };

type Row = [headers: IncomingHttpHeaders, outcome: PreconditionOutcome, why: string];

function table(rows: Row[], method = "GET"): void {
  for (const [headers, outcome, why] of rows) {
    it(`answers ${outcome} to ${JSON.stringify(headers)}: ${why}`, () => {
      assert.equal(evaluatePreconditions(method, headers, validators), outcome);
    });
  }
}

describe("evaluatePreconditions", () => {
  it("proceeds when there are no conditions", () => {
    assert.equal(evaluatePreconditions("GET", {}, validators), "proceed");
  });

  describe("If-Modified-Since (RFC 9110 §13.1.3)", () => {
    table([
      [{ "if-modified-since": MODIFIED }, "not-modified", "it is the file's own date"],
      [{ "if-modified-since": LATER }, "not-modified", "the file is older"],
      [{ "if-modified-since": "Wed Jun 25 17:12:18 2014" }, "not-modified", "asctime is a date too"],
      [{ "if-modified-since": "Wednesday, 25-Jun-14 17:12:18 GMT" }, "not-modified", "RFC 850 has dates too"],
      [{ "if-modified-since": "Fri, 01 Jan 2037 00:00:00 GMT" }, "not-modified", "a date may lie in the future"],
      [{ "if-modified-since": "Sat, 01 Jan 2174 00:00:00 GMT" }, "not-modified", "a date may lie beyond 32 bits"],
      [{ "if-modified-since": EARLIER }, "proceed", "the file is newer"],
      [{ "if-modified-since": "garbage" }, "proceed", "what is no date is ignored"],
      [{ "if-modified-since": "" }, "proceed", "what is no date is ignored"],
      [{ "if-modified-since": "2014-06-25T17:12:18Z" }, "proceed", "ISO 8601 is not a form of HTTP"],
    ]);

    it("does not see what goes beyond whole seconds", () => {
      const precise = { ...validators, lastModified: new Date("2014-06-25T17:12:18.999Z") };
      assert.equal(evaluatePreconditions("GET", { "if-modified-since": MODIFIED }, precise), "not-modified");
    });

    it("is ignored for methods other than GET and HEAD", () => {
      assert.equal(evaluatePreconditions("PUT", { "if-modified-since": MODIFIED }, validators), "proceed");
    });
  });

  describe("If-None-Match (RFC 9110 §13.1.2)", () => {
    table([
      [{ "if-none-match": ETAG }, "not-modified", "it is the file's tag"],
      [{ "if-none-match": `W/${ETAG}` }, "not-modified", "the comparison is weak"],
      [{ "if-none-match": `${ETAG}, "x", "y"` }, "not-modified", "it is first in the list"],
      [{ "if-none-match": `"x", ${ETAG}, "y"` }, "not-modified", "it is within the list"],
      [{ "if-none-match": `"x","y",W/${ETAG}` }, "not-modified", "it is last in the list"],
      [{ "if-none-match": `"x"\t,\t${ETAG}\t` }, "not-modified", "tabs part elements as well"],
      [{ "if-none-match": `,, "x",, ${ETAG},` }, "not-modified", "empty elements are skipped"],
      [{ "if-none-match": `"a,b", ${ETAG}` }, "not-modified", "a tag may have a comma within"],
      [{ "if-none-match": `"\u00ff", ${ETAG}` }, "not-modified", "a tag may have bytes beyond ASCII"],
      [{ "if-none-match": `"", ${ETAG}` }, "not-modified", "a tag may be empty"],
      [{ "if-none-match": "*" }, "not-modified", "there is a file"],
      [{ "if-none-match": '"foo"' }, "proceed", "it is another tag"],
      [{ "if-none-match": '"abc-123"' }, "proceed", "tags differ by case"],
      [{ "if-none-match": "" }, "proceed", "it names no tag"],
      [{ "if-none-match": "," }, "proceed", "it names no tag"],
      [{ "if-none-match": "Abc-123" }, "proceed", "tags have quotes"],
      [{ "if-none-match": "W/" }, "proceed", "it names no tag"],
      [{ "if-none-match": 'W/"Abc-123' }, "proceed", "the quote is not closed"],
      [{ "if-none-match": `w/${ETAG}` }, "proceed", "W/ is in upper case"],
      [{ "if-none-match": '"a b"' }, "proceed", "a tag has no space"],
      [{ "if-none-match": `"a b", ${ETAG}` }, "proceed", "the list breaks the grammar before the tag"],
      [{ "if-none-match": `${ETAG}, "a b"` }, "proceed", "the list breaks the grammar after the tag"],
      [{ "if-none-match": `${ETAG} "x"` }, "proceed", "a comma is missing"],
      [{ "if-none-match": `${ETAG}, *` }, "proceed", "* stands alone"],
      [{ "if-none-match": `W/ ${ETAG}` }, "proceed", "W/ and the tag are one"],
      [{ "if-none-match": `\\"Abc-123\\"` }, "proceed", "quotes are not escaped"],
    ]);

    it("never matches a tag with a control character or a space in it", () => {
      for (const odd of ["\0", "\t", " ", "\x7f", '"']) {
        const etag = `"a${odd}b"`;
        assert.equal(
          evaluatePreconditions("GET", { "if-none-match": etag }, { etag }),
          "proceed",
          JSON.stringify(etag),
        );
      }
    });

    it("goes for HEAD as for GET", () => {
      assert.equal(evaluatePreconditions("HEAD", { "if-none-match": ETAG }, validators), "not-modified");
      assert.equal(evaluatePreconditions("HEAD", { "if-modified-since": MODIFIED }, validators), "not-modified");
      assert.equal(evaluatePreconditions("HEAD", { "if-match": '"foo"' }, validators), "failed");
    });

    it("fails for other methods when it matches, and proceeds when it does not", () => {
      assert.equal(evaluatePreconditions("PUT", { "if-none-match": ETAG }, validators), "failed");
      assert.equal(evaluatePreconditions("PUT", { "if-none-match": '"foo"' }, validators), "proceed");
    });
  });

  describe("If-Match (RFC 9110 §13.1.1)", () => {
    table([
      [{ "if-match": ETAG }, "proceed", "it is the file's tag"],
      [{ "if-match": `"x", ${ETAG}` }, "proceed", "it is in the list"],
      [{ "if-match": `"x"\t,\t${ETAG}` }, "proceed", "tabs part elements as well"],
      [{ "if-match": "*" }, "proceed", "there is a file"],
      [{ "if-match": '"foo"' }, "failed", "it is another tag"],
      [{ "if-match": `W/${ETAG}` }, "failed", "the comparison is strong"],
      [{ "if-match": `"x", W/${ETAG}` }, "failed", "the comparison is strong in lists too"],
      [{ "if-match": "" }, "failed", "it names no tag"],
      [{ "if-match": "," }, "failed", "it names no tag"],
      [{ "if-match": "Abc-123" }, "failed", "tags have quotes"],
      [{ "if-match": `${ETAG}, "a b"` }, "failed", "the list breaks the grammar"],
    ]);

    it("fails when the file's own tag is weak", () => {
      const etag = `W/${ETAG}`;
      assert.equal(evaluatePreconditions("GET", { "if-match": etag }, { etag }), "failed");
    });
  });

  describe("If-Unmodified-Since (RFC 9110 §13.1.4)", () => {
    table([
      [{ "if-unmodified-since": MODIFIED }, "proceed", "it is the file's own date"],
      [{ "if-unmodified-since": LATER }, "proceed", "the file is older"],
      [{ "if-unmodified-since": "garbage" }, "proceed", "what is no date is ignored"],
      [{ "if-unmodified-since": EARLIER }, "failed", "the file is newer"],
    ]);

    it("does not see what goes beyond whole seconds", () => {
      const precise = { ...validators, lastModified: new Date("2014-06-25T17:12:18.999Z") };
      assert.equal(evaluatePreconditions("GET", { "if-unmodified-since": MODIFIED }, precise), "proceed");
    });
  });

  describe("the order of conditions (RFC 9110 §13.2.2)", () => {
    table([
      [{ "if-none-match": '"foo"', "if-modified-since": MODIFIED }, "proceed", "with tags there, the date is ignored"],
      [{ "if-none-match": ETAG, "if-modified-since": EARLIER }, "not-modified", "with tags there, the date is ignored"],
      [{ "if-none-match": "", "if-modified-since": MODIFIED }, "proceed", "a list of no tags is there too"],
      [{ "if-match": ETAG, "if-unmodified-since": EARLIER }, "proceed", "with tags there, the date is ignored"],
      [{ "if-match": '"foo"', "if-unmodified-since": LATER }, "failed", "with tags there, the date is ignored"],
      [{ "if-match": '"foo"', "if-none-match": ETAG }, "failed", "If-Match comes first"],
      [{ "if-unmodified-since": EARLIER, "if-none-match": ETAG }, "failed", "If-Unmodified-Since comes first"],
      [{ "if-match": ETAG, "if-none-match": ETAG }, "not-modified", "both are asked"],
      [{ "if-match": ETAG, "if-modified-since": MODIFIED }, "not-modified", "both are asked"],
      [{ "if-none-match": ETAG, range: "bytes=0-4" }, "not-modified", "Range comes last"],
      [{ "if-match": '"foo"', range: "bytes=0-4" }, "failed", "Range comes last"],
      [{ "if-unmodified-since": EARLIER, range: "bytes=0-4" }, "failed", "Range comes last"],
    ]);
  });

  it("ignores dates when it is not known when the file was changed", () => {
    const tagOnly = { etag: ETAG };
    assert.equal(evaluatePreconditions("GET", { "if-modified-since": MODIFIED }, tagOnly), "proceed");
    assert.equal(evaluatePreconditions("GET", { "if-unmodified-since": EARLIER }, tagOnly), "proceed");
  });

  it("takes no time to speak of for hostile headers", () => {
    for (const value of hostileTexts("", '"', 'W/"', `${ETAG},`, MODIFIED)) {
      assertQuick(() => evaluatePreconditions("GET", { "if-match": value }, validators), value);
      assertQuick(() => evaluatePreconditions("GET", { "if-none-match": value }, validators), value);
      assertQuick(() => evaluatePreconditions("GET", { "if-modified-since": value }, validators), value);
      assertQuick(() => ifRangeHolds(value, validators), value);
    }
  });

  describe("properties", () => {
    const tag = fc
      .tuple(fc.constantFrom("", "W/"), fc.stringMatching(/^[!#-~]{0,6}$/))
      .map(([weakness, opaque]) => `${weakness}"${opaque}"`);
    const separator = fc.constantFrom(",", ", ", "\t,\t", ",,", " , ,");
    const strip = (any: string): string => any.replace(/^W\//, "");

    it("finds a tag in a list of valid ones exactly when the list has it, weakly or strongly", () => {
      fc.assert(
        fc.property(
          fc.array(tag, { minLength: 1 }),
          tag.map(strip),
          fc.boolean(),
          separator,
          (list, own, add, comma) => {
            const tags = add ? [...list, own] : list;
            const header = tags.join(comma);
            const none = evaluatePreconditions("GET", { "if-none-match": header }, { etag: own });
            assert.equal(none === "not-modified", tags.map(strip).includes(own));
            const match = evaluatePreconditions("GET", { "if-match": header }, { etag: own });
            assert.equal(match === "proceed", tags.includes(own));
          },
        ),
        runs(1000),
      );
    });

    it("finds a tag in any text exactly when a plain reading of the grammar does", () => {
      const piece = fc.constantFrom(
        '"a"',
        'W/"a"',
        '"b"',
        '""',
        '"a,b"',
        '"é"',
        ",",
        ", ",
        " ",
        "\t",
        '"',
        "W/",
        "w/",
        "*",
        "\x7f",
        ";",
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
          const list = pieces.join("");
          const tags = list === "*" ? ['"a"'] : tagsOf(list);
          const none = evaluatePreconditions("GET", { "if-none-match": list }, { etag: '"a"' });
          assert.equal(none === "not-modified", tags.map(strip).includes('"a"'), list);
          const match = evaluatePreconditions("GET", { "if-match": list }, { etag: '"a"' });
          assert.equal(match === "proceed", tags.includes('"a"'), list);
        }),
        runs(3000),
      );
    });

    it("never throws, whatever the headers", () => {
      const value = fc.option(fc.oneof(fc.string(), fc.stringMatching(/^[W/"\t ,*a]*$/)), { nil: undefined });
      const names = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"] as const;
      const headers = fc.record(Object.fromEntries(names.map((name) => [name, value])));
      fc.assert(
        fc.property(headers, (any) => {
          assert.ok(["proceed", "not-modified", "failed"].includes(evaluatePreconditions("GET", any, validators)));
        }),
        runs(1000),
      );
    });

    it("answers not-modified to the date that was sent as Last-Modified, and never fails it", () => {
      const date = fc.date({ min: new Date(0), max: new Date("2200-01-01T00:00:00Z"), noInvalidDate: true });
      fc.assert(
        fc.property(date, (lastModified) => {
          const sent = formatHttpDate(lastModified);
          const own = { etag: ETAG, lastModified };
          assert.equal(evaluatePreconditions("GET", { "if-modified-since": sent }, own), "not-modified");
          assert.equal(evaluatePreconditions("GET", { "if-unmodified-since": sent }, own), "proceed");
        }),
        runs(100),
      );
    });
  });
});

/** The tags of a list of RFC 9110 §8.8.3, character by character; none where anything breaks the grammar. */
function tagsOf(list: string): string[] {
  const elements = [""];
  let quoted = false;
  for (const character of list) {
    if (character === '"') quoted = !quoted;
    if (character === "," && !quoted) elements.push("");
    else elements.push(elements.pop() + character);
  }
  const tags = elements.map((element) => element.replace(/^[ \t]+|[ \t]+$/g, "")).filter((element) => element !== "");
  return tags.every((tag) => /^(W\/)?"[^\p{Cc} "]*"$/u.test(tag)) ? tags : [];
}

describe("ifRangeHolds", () => {
  const now = new Date("2014-06-25T17:12:19Z");

  it("holds for exactly the file's strong tag", () => {
    assert.equal(ifRangeHolds(ETAG, validators), true);
    assert.equal(ifRangeHolds(ETAG, { etag: ETAG }), true);
  });

  it("holds for exactly the file's date once that second is over", () => {
    assert.equal(ifRangeHolds(MODIFIED, validators, now), true);
    assert.equal(ifRangeHolds(MODIFIED, validators), true);
    assert.equal(ifRangeHolds("Wed Jun 25 17:12:18 2014", validators, now), true);
  });

  it("does not hold for the file's date within that very second, when the file may change again (§8.8.2.2)", () => {
    assert.equal(ifRangeHolds(MODIFIED, validators, new Date("2014-06-25T17:12:18.999Z")), false);
    assert.equal(ifRangeHolds(MODIFIED, validators, new Date("2014-06-25T17:12:10Z")), false);
  });

  it("compares dates to the second", () => {
    const precise = { ...validators, lastModified: new Date("2014-06-25T17:12:18.999Z") };
    assert.equal(ifRangeHolds(MODIFIED, precise, now), true);
  });

  it("does not hold for a date when it is not known when the file was changed", () => {
    assert.equal(ifRangeHolds(MODIFIED, { etag: ETAG }, now), false);
  });

  const rows: [header: string, why: string][] = [
    ['"foo"', "another tag"],
    ['"abc-123"', "a tag in another case"],
    [`W/${ETAG}`, "a weak tag"],
    [LATER, "a date one second later"],
    [EARLIER, "a date one second earlier"],
    ["garbage", "garbage"],
    ["", "an empty header"],
    [`${ETAG}, "x"`, "two tags"],
    [`${ETAG}, ${ETAG}`, "the tag twice"],
    ["*", "an asterisk, which If-Range does not have"],
    ["2014-06-25T17:12:18Z", "a date in ISO 8601"],
  ];
  for (const [header, why] of rows) {
    it(`does not hold for ${JSON.stringify(header)}, ${why}`, () => {
      assert.equal(ifRangeHolds(header, validators, new Date("2026-01-01T00:00:00Z")), false);
    });
  }

  it("does not hold for a weak tag even when the file's own is the same weak tag", () => {
    assert.equal(ifRangeHolds(`W/${ETAG}`, { etag: `W/${ETAG}` }), false);
  });

  it("never throws, and holds for no string but the tag and the date", () => {
    const holding = [ETAG, MODIFIED, "Wed Jun 25 17:12:18 2014", "Wednesday, 25-Jun-14 17:12:18 GMT"];
    const nearly = fc
      .tuple(fc.constantFrom(...holding), fc.nat({ max: 40 }), fc.string({ maxLength: 1 }))
      .map(([text, place, other]) => text.slice(0, place) + other + text.slice(place + 1));
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly), (header) => {
        // The name of the weekday is not looked at, as long as it is one.
        const same = holding.some((text) => text === header) || /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/.test(header);
        fc.pre(!same);
        assert.equal(ifRangeHolds(header, validators, now), false);
      }),
      runs(1000),
    );
  });
});
