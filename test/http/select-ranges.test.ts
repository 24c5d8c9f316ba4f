import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ByteRange } from "../../src/http/byte-range.js";
import {
  MAX_ASCENDING_RANGES,
  MAX_RANGES,
  type RangeOutcome,
  selectRanges as select,
} from "../../src/http/select-ranges.js";
import { assertQuick, hostileTexts, runs } from "../support/fuzz.js";

const SIZE = 11;
const TEBIBYTE = 2 ** 40;
const TYPE = "application/octet-stream";

function selectRanges(header: string | undefined, size: number): RangeOutcome {
  return select(header, size, TYPE);
}

function ranges(text: string): RangeOutcome {
  const list = text.split(",").map((range) => range.split("-").map(Number) as [number, number]);
  return { kind: "ranges", ranges: list.map(([start, end]) => ({ start, end })) };
}

const whole: RangeOutcome = { kind: "whole" };
const unsatisfiable: RangeOutcome = { kind: "unsatisfiable" };

describe("selectRanges", () => {
  describe("one range of an 11 byte file (RFC 9110 §14.1.2)", () => {
    const rows: [header: string, answer: string][] = [
      ["bytes=0-4", "0-4"],
      ["bytes=2-", "2-10"],
      ["bytes=-5", "6-10"],
      ["bytes=3-7", "3-7"],
      ["bytes=5-1000", "5-10"],
      ["bytes=0-9", "0-9"],
      ["bytes=0-10", "0-10"],
      ["bytes=0-11", "0-10"],
      ["bytes=10-11", "10-10"],
      ["bytes=10-", "10-10"],
      ["bytes=-15", "0-10"],
      ["bytes=-11", "0-10"],
      ["bytes=0000-0004", "0-4"],
      ["bytes=0-99999999999999999999", "0-10"],
      ["bytes=-99999999999999999999", "0-10"],
      ["bytes= 0-4\t", "0-4"],
      ["bytes=,0-4,", "0-4"],
    ];
    for (const [header, answer] of rows) {
      it(`answers with ${answer} for ${JSON.stringify(header)}`, () => {
        assert.deepEqual(selectRanges(header, SIZE), ranges(answer));
      });
    }
  });

  describe("ranges outside of an 11 byte file (RFC 9110 §15.5.17)", () => {
    const rows = [
      "bytes=11-",
      "bytes=11-12",
      "bytes=12-12",
      "bytes=11-100",
      "bytes=12-100",
      "bytes=100-",
      "bytes=100-1000",
      "bytes=-0",
      "bytes=-0,-0",
      "bytes=-00",
      "bytes=11-12,100-",
      "bytes=99999999999999999998-99999999999999999999",
      "bytes=18446744073709551616-",
    ];
    for (const header of rows) {
      it(`says that ${header} is unsatisfiable`, () => {
        assert.deepEqual(selectRanges(header, SIZE), unsatisfiable);
      });
    }
  });

  describe("headers that break the grammar (RFC 9110 §14.2)", () => {
    const rows = [
      "",
      "foo",
      "bytes",
      "bytes=",
      "bytes=7",
      "bytes= 7 ",
      "bytes=5-4",
      "bytes=0-2,5-4",
      "bytes=2-5,4-3",
      "bytes=--6",
      "bytes=--0",
      "bytes=---0",
      "bytes=-6-",
      "bytes=-",
      "bytes=A-",
      "bytes=A-Z",
      "bytes=5-Z",
      "bytes=Ran-dom, garbage",
      "bytes=0x01-0x02",
      "bytes=+0-4",
      "bytes=1e0-4",
      "bytes=0.0-4",
      "bytes=10-11 12-",
      "bytes=1 - 4",
      "bytes=1-4,x",
      "bytes=100-,x",
      "bytes=x,100-",
      "bytes=-0,5-4",
      "bytes=*/1234",
      "bytes=*/11",
      "bytes=0-4/11",
      "bytes = 0-4",
      "bytes=,",
      "bytes= , , ,",
      "0-4",
      "xbytes=0-4",
      "bytes=0-4\n",
      "bytes=٠-٤",
      "bytes=99999999999999999999-99999999999999999998",
    ];
    for (const header of rows) {
      it(`answers with the whole file for ${JSON.stringify(header)}`, () => {
        assert.deepEqual(selectRanges(header, SIZE), whole);
      });
    }

    it("answers with the whole file for two Range lines, which Node joins with a comma (RFC 9110 §5.3)", () => {
      assert.deepEqual(selectRanges("bytes=0-4, bytes=6-7", SIZE), whole);
    });
  });

  describe("units (RFC 9110 §14.1)", () => {
    for (const header of ["items=0-5", "seconds=1-2", "bytess=0-4", "none=0-4"]) {
      it(`answers with the whole file for ${header}`, () => {
        assert.deepEqual(selectRanges(header, SIZE), whole);
      });
    }
    for (const header of ["BYTES=0-4", "Bytes=0-4"]) {
      it(`answers with 0-4 for ${header}, as units have no case`, () => {
        assert.deepEqual(selectRanges(header, SIZE), ranges("0-4"));
      });
    }
  });

  it("answers with the whole file when there is no header", () => {
    assert.deepEqual(selectRanges(undefined, SIZE), whole);
  });

  for (const header of ["bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-", "garbage"]) {
    it(`answers with the whole file for ${header} of an empty file`, () => {
      assert.deepEqual(selectRanges(header, 0), whole);
    });
  }

  describe("several ranges (RFC 9110 §15.3.7.2)", () => {
    const rows: [header: string, size: number, answer: string, why: string][] = [
      ["bytes=0-0,-2", SIZE, "0-0,9-10", "which lie apart"],
      ["bytes=0-1,5-8", SIZE, "0-1,5-8", "which lie apart"],
      ["bytes=0-1,5-", SIZE, "0-1,5-10", "of which the last is open"],
      ["bytes=0-0 ,2-2, 7-", SIZE, "0-0,2-2,7-10", "with spaces around the commas"],
      ["bytes=0-0\t,\t2-2,,, ,7-", SIZE, "0-0,2-2,7-10", "with tabs and empty elements"],
      ["bytes=-2 , 7-", SIZE, "7-10", "of which one holds the other"],
      ["bytes=0-4,100-", SIZE, "0-4", "of which one is outside"],
      ["bytes=100-,-0,3-4", SIZE, "3-4", "of which two are outside"],
      ["bytes=7-8,0-1", SIZE, "7-8,0-1", "in the order of the request"],
      ["bytes=8-9,0-0,2-4,4-5", SIZE, "8-9,0-0,2-5", "in the order of the request once joined"],
      ["bytes=5-6,0-0,3-4", SIZE, "3-6,0-0", "with the joined one where its first part stood"],
      ["bytes=0-9,-10,10-19", 1000, "0-19,990-999", "of which two touch"],
      ["bytes=0-1,3-4", SIZE, "0-1,3-4", "that leave one byte between them"],
      ["bytes=0-,1-,2-,3-,4-", SIZE, "0-10", "that all overlap"],
      ["bytes=0-5,1-2,4-8", SIZE, "0-8", "of which one lies within another"],
      ["bytes=1-1,1-1", SIZE, "1-1", "that are the same"],
      ["bytes=7-,0-1", SIZE, "7-10,0-1", "that descend from an open end"],
      ["bytes=5-,3-4,0-1", SIZE, "3-10,0-1", "that descend from an open end, of which two touch"],
      ["bytes=9-,5-6,0-", SIZE, "0-10", "that descend from an open end, of which one is all of the file"],
      ["bytes=0-16383,16384-32767", 1e6, "0-32767", "that touch at a block of 16 KiB"],
      ["bytes=0-16384,16384-32767", 1e6, "0-32767", "that overlap by one byte at a block of 16 KiB"],
      ["bytes=0-16382,16384-32767", 1e6, "0-16382,16384-32767", "that leave one byte before a block of 16 KiB"],
      ["bytes=262143-524287,0-262143", 1e6, "0-524287", "that overlap by one byte at a block of 256 KiB"],
    ];
    for (const [header, size, answer, why] of rows) {
      it(`answers with ${answer} for ${JSON.stringify(header)}, ranges ${why}`, () => {
        assert.deepEqual(selectRanges(header, size), ranges(answer));
      });
    }
  });

  describe("the number of ranges", () => {
    const apart = (count: number): string => Array.from({ length: count }, (_, i) => `${2 * i}-${2 * i}`).join(",");

    for (const count of [1, 2, MAX_RANGES]) {
      it(`answers with ${count} when ${count} lie apart`, () => {
        assert.deepEqual(selectRanges(`bytes=${apart(count)}`, 1e6), ranges(apart(count)));
      });
    }
    for (const count of [MAX_RANGES + 1, 300, 1000]) {
      it(`answers with the whole file when ${count} lie apart`, () => {
        assert.deepEqual(selectRanges(`bytes=${apart(count)}`, 1e6), whole);
      });
    }

    const block = (index: number, length = 2048): string => `${8192 * index}-${8192 * index + length - 1}`;
    const blocks = (count: number): string[] => Array.from({ length: count }, (_, index) => block(index));

    for (const count of [MAX_RANGES + 1, 20, MAX_ASCENDING_RANGES]) {
      it(`answers with ${count} blocks of 2 KiB in ascending order, as zsync asks for 20`, () => {
        const list = blocks(count).join();
        assert.deepEqual(selectRanges(`bytes=${list}`, 1e6), ranges(list));
      });
    }

    const touching = blocks(19).concat(block(19, 1000), `${8192 * 19 + 1000}-${8192 * 19 + 2047}`);
    const suffix = [...blocks(19), "-2048"];
    const beyond = [...blocks(20), "5000000-6000000"];
    for (const [what, list, answer] of [
      ["of which two touch, and are joined", touching, blocks(20)],
      ["of which the last is counted from the end", suffix, [...blocks(19), "997952-999999"]],
      ["of which the last is behind the end", beyond, blocks(20)],
    ] as const) {
      it(`answers with 20 blocks in ascending order ${what}`, () => {
        assert.deepEqual(selectRanges(`bytes=${list}`, 1e6), ranges(answer.join()));
      });
    }

    const swapped = [...blocks(18), block(19), block(18)];
    const overlapping = [...blocks(20), `${8192 * 19 + 2047}-${8192 * 20}`];
    for (const [what, list] of [
      [`more than ${MAX_ASCENDING_RANGES} blocks`, blocks(MAX_ASCENDING_RANGES + 1)],
      ["20 blocks in descending order", blocks(20).reverse()],
      ["20 blocks of which the last two are swapped", swapped],
      ["20 blocks and a range that overlaps the last by one byte", overlapping],
      ["20 blocks, of which one is asked for twice", [...blocks(20), block(19)]],
    ] as const) {
      it(`answers with the whole file for ${what}`, () => {
        assert.deepEqual(selectRanges(`bytes=${list}`, 1e6), whole);
      });
    }

    it("answers with 20 ranges where the headers of their parts are 5 % of all, and with the whole file where they are more", () => {
      // Content-Type and Content-Range of 88 bytes: 19 times as much is 95 % of all.
      const list = (length: number) => Array.from({ length: 20 }, (_, index) => block(index + 20, length)).join();
      const header = `Content-Type: ${TYPE}\r\nContent-Range: bytes 163840-165511/1000000\r\n\r\n`;
      const enough = header.length * 19;
      assert.deepEqual(selectRanges(`bytes=${list(enough)}`, 1e6), ranges(list(enough)));
      assert.deepEqual(selectRanges(`bytes=${list(enough - 1)}`, 1e6), whole);
      assert.deepEqual(select(`bytes=${list(enough)}`, 1e6, `${TYPE}+`), whole);
    });

    it("counts ranges after they are joined", () => {
      const touching = Array.from({ length: 200 }, (_, i) => `${i}-${i}`).join(",");
      assert.deepEqual(selectRanges(`bytes=${touching}`, 1e6), ranges("0-199"));
    });

    it("does not read a header of 16 KiB", () => {
      assert.deepEqual(selectRanges(`bytes=${"0-0,".repeat(4096)}`, SIZE), whole);
    });

    it("reads a header of 4 KiB, and none that is one character longer", () => {
      const longest = `bytes=0-${"0".repeat(4096 - 9)}4`;
      assert.equal(longest.length, 4096);
      assert.deepEqual(selectRanges(longest, SIZE), ranges("0-4"));
      assert.deepEqual(selectRanges(longest.replace("-", "-0"), SIZE), whole);
    });

    it("takes no time to speak of for hostile headers", () => {
      for (const header of hostileTexts("", "bytes=", "bytes=0-", "bytes=9", "bytes=-")) {
        assertQuick(() => selectRanges(header, Number.MAX_SAFE_INTEGER), header);
      }
    });

    it("takes the longest header in a few milliseconds, even a hundred times over", () => {
      const header = `bytes=${apart(700)}`.slice(0, 4090);
      const aHundredTimes = () => {
        for (let i = 0; i < 100; i++) selectRanges(header, 1e6);
      };
      assertQuick(aHundredTimes, header, 1000);
    });
  });

  describe("large files", () => {
    const rows: [header: string, size: number, outcome: RangeOutcome][] = [
      ["bytes=-4", TEBIBYTE, ranges("1099511627772-1099511627775")],
      ["bytes=4294967296-4294967299", TEBIBYTE, ranges("4294967296-4294967299")],
      ["bytes=1099511627772-", TEBIBYTE, ranges("1099511627772-1099511627775")],
      ["bytes=1099511627776-", TEBIBYTE, unsatisfiable],
      ["bytes=-1", Number.MAX_SAFE_INTEGER, ranges("9007199254740990-9007199254740990")],
      ["bytes=9007199254740990-9007199254740993", Number.MAX_SAFE_INTEGER, ranges("9007199254740990-9007199254740990")],
      ["bytes=9007199254740991-", Number.MAX_SAFE_INTEGER, unsatisfiable],
    ];
    for (const [header, size, outcome] of rows) {
      it(`is exact for ${header} of a file of ${size} bytes`, () => {
        assert.deepEqual(selectRanges(header, size), outcome);
      });
    }
  });

  describe("properties", () => {
    const size = fc.nat({ max: 60 });
    const position = fc.oneof(
      { weight: 9, arbitrary: fc.nat({ max: 70 }).map(String) },
      { weight: 1, arbitrary: fc.constant("99999999999999999999") },
    );
    const spec = fc.oneof(
      fc.tuple(position, position).map(([a, b]) => (BigInt(a) <= BigInt(b) ? `${a}-${b}` : `${b}-${a}`)),
      position.map((first) => `${first}-`),
      position.map((suffix) => `-${suffix}`),
    );
    const specs = fc.array(spec, { minLength: 1, maxLength: 14 });

    it("never throws, and always answers with one of the three outcomes", () => {
      const nearly = fc.stringMatching(/^(bytes=)?[-0-9, \tbx=]*$/);
      fc.assert(
        fc.property(fc.oneof(fc.string(), nearly), fc.maxSafeNat(), (header, anySize) => {
          assert.ok(["whole", "ranges", "unsatisfiable"].includes(selectRanges(header, anySize).kind));
        }),
        runs(2000),
      );
    });

    it("ignores exactly what breaks the grammar, or ends before it begins", () => {
      const nearly = fc
        .array(fc.oneof(spec, fc.constantFrom("", " ", "\t", "-", "5-4", "1-2-3", "x", "٣-", "+1-2", "1 -2")), {
          minLength: 1,
          maxLength: MAX_RANGES,
        })
        .chain((list) => fc.constantFrom(",", ", ", " ,", "\t,\t", ";", "").map((comma) => list.join(comma)));
      const unit = fc.constantFrom("bytes=", "BYTES=", "bytes= ", "bytes =", "bytes", "items=", " bytes=");
      fc.assert(
        fc.property(unit, nearly, (start, list) => {
          assert.equal(selectRanges(start + list, 1000).kind !== "whole", isRangeSet(start + list), start + list);
        }),
        runs(3000),
      );
    });

    it("answers more than eight ranges where they ascend apart and are long enough, in their order, and no others", () => {
      const gaps = fc.array(fc.tuple(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 4000 })), {
        minLength: 9,
        maxLength: 70,
      });
      fc.assert(
        fc.property(gaps, fc.boolean(), (list, swap) => {
          const spans: ByteRange[] = [];
          for (const [gap, length] of list) {
            const start = (spans.at(-1)?.end ?? 0) + 2 + gap;
            spans.push({ start, end: start + length - 1 });
          }
          if (swap) spans.push(spans.shift()!);
          const outcome = selectRanges(`bytes=${spans.map(({ start, end }) => `${start}-${end}`)}`, 1e6);
          const bytes = spans.reduce((sum, { start, end }) => sum + end - start + 1, 0);
          if (swap || spans.length > MAX_ASCENDING_RANGES || bytes < 1000 * spans.length)
            assert.deepEqual(outcome, whole);
          else if (bytes > 2000 * spans.length) assert.deepEqual(outcome, { kind: "ranges", ranges: spans });
        }),
        runs(1000),
      );
    });

    it("answers with one to eight ranges within the file that neither overlap nor touch", () => {
      fc.assert(
        fc.property(specs, size, (list, anySize) => {
          const outcome = selectRanges(`bytes=${list.join(",")}`, anySize);
          if (outcome.kind !== "ranges") return;
          assert.ok(outcome.ranges.length >= 1 && outcome.ranges.length <= MAX_RANGES);
          assertApartAndWithin(outcome.ranges, anySize);
        }),
        runs(2000),
      );
    });

    it("sends every byte that is asked for and no other, begins with the first that can be, or sends the whole file", () => {
      fc.assert(
        fc.property(specs, size, (list, anySize) => {
          const outcome = selectRanges(`bytes=${list.join(",")}`, anySize);
          if (outcome.kind === "whole") return;
          const sent = outcome.kind === "ranges" ? outcome.ranges : [];
          const asked = list.map((one) => bytesAskedFor(one, anySize));
          assert.deepEqual(
            positions(sent),
            [...new Set(asked.flat())].sort((a, b) => a - b),
          );
          const firstAsked = asked.find((one) => one.length > 0)?.[0];
          assert.ok(firstAsked === undefined || positions(sent.slice(0, 1)).includes(firstAsked));
        }),
        runs(2000),
      );
    });
  });
});

function assertApartAndWithin(list: ByteRange[], size: number): void {
  const sorted = [...list].sort((a, b) => a.start - b.start);
  for (const [i, { start, end }] of sorted.entries()) {
    assert.ok(start >= 0 && start <= end && end < size, `${start}-${end} lies within ${size} bytes`);
    assert.ok(i === 0 || start > sorted[i - 1]!.end + 1, `${start}-${end} is apart from the one before`);
  }
}

function positions(list: ByteRange[]): number[] {
  return list
    .flatMap(({ start, end }) => Array.from({ length: end - start + 1 }, (_, i) => start + i))
    .sort((a, b) => a - b);
}

/** The grammar of RFC 9110 §14.1.1, read off element by element. */
function isRangeSet(header: string): boolean {
  if (header.slice(0, 6).toLowerCase() !== "bytes=") return false;
  const elements = header
    .slice(6)
    .split(",")
    .map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ""));
  const specs = elements.filter((element) => element !== "");
  return specs.length > 0 && specs.every(isRangeSpec);
}

function isRangeSpec(element: string): boolean {
  const parts = element.split("-");
  if (parts.length !== 2 || !parts.every((part) => [...part].every((digit) => "0123456789".includes(digit))))
    return false;
  const [first, last] = parts as [string, string];
  return first === "" || last === "" ? first !== last : BigInt(first) <= BigInt(last);
}

/** The slow and obvious reading of one spec: every position of the file is asked whether it belongs to it. */
function bytesAskedFor(spec: string, size: number): number[] {
  const [first = "", last = ""] = spec.split("-");
  return Array.from({ length: size }, (_, i) => i).filter((i) => {
    if (first === "") return i >= size - Number(last);
    return i >= Number(first) && (last === "" || i <= Number(last));
  });
}
