import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Content, lengthOf, partialContent, wholeContent } from "../../src/http/content.js";
import { selectRanges } from "../../src/http/select-ranges.js";

const file = Buffer.from("0123456789a");

describe("wholeContent", () => {
  it("is all of the file in one piece, with the file's type", () => {
    const content = wholeContent(11, "text/plain");
    assert.deepEqual(content, {
      pieces: [{ start: 0, end: 10 }],
      length: 11,
      headers: { "Content-Type": "text/plain" },
    });
  });

  it("has no piece where the file is empty", () => {
    assert.deepEqual(wholeContent(0, "text/plain"), {
      pieces: [],
      length: 0,
      headers: { "Content-Type": "text/plain" },
    });
  });
});

describe("partialContent", () => {
  it("is a single range as it is, with the file's type and the range in Content-Range", () => {
    const range = { start: 2, end: 4 };
    assert.deepEqual(partialContent([range], 11, "text/plain"), {
      pieces: [range],
      length: 3,
      range,
      headers: { "Content-Type": "text/plain", "Content-Range": "bytes 2-4/11" },
    });
  });

  it("parts several ranges as RFC 9110 §14.6 shows it, after an empty line, in the order that they are given in", () => {
    const content = partialContent(
      [
        { start: 7, end: 8 },
        { start: 0, end: 1 },
      ],
      11,
      "text/plain; charset=utf-8",
    );
    const boundary = /^multipart\/byteranges; boundary=([\w-]{24})$/.exec(content.headers["Content-Type"]!)![1];
    assert.deepEqual(Object.keys(content.headers), ["Content-Type"]);
    assert.equal(
      bodyOf(content).toString(),
      [
        "",
        `--${boundary}`,
        "Content-Type: text/plain; charset=utf-8",
        "Content-Range: bytes 7-8/11",
        "",
        "78",
        `--${boundary}`,
        "Content-Type: text/plain; charset=utf-8",
        "Content-Range: bytes 0-1/11",
        "",
        "01",
        `--${boundary}--`,
        "",
      ].join("\r\n"),
    );
    assert.equal(content.length, bodyOf(content).length);
    assert.deepEqual(content.range, { start: 0, end: 8 });
  });

  it("parts them by another text each time, so that no file can hold it", () => {
    const ranges = [
      { start: 0, end: 0 },
      { start: 5, end: 5 },
    ];
    const types = Array.from({ length: 100 }, () => partialContent(ranges, 11, "x/y").headers["Content-Type"]);
    assert.equal(new Set(types).size, 100);
  });

  it("has the length that it says, whatever was asked for", () => {
    const list = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(list, (specs) => {
        const header = `bytes=${specs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(",")}`;
        const selected = selectRanges(header, file.length, "text/plain");
        if (selected.kind !== "ranges") return;
        const content = partialContent(selected.ranges, file.length, "text/plain");
        assert.equal(bodyOf(content).length, content.length);
        assert.equal(
          content.length,
          content.pieces.map(lengthOf).reduce((sum, length) => sum + length),
        );
      }),
    );
  });
});

function bodyOf({ pieces }: Content): Buffer {
  return Buffer.concat(
    pieces.map((piece) => (piece instanceof Uint8Array ? piece : file.subarray(piece.start, piece.end + 1))),
  );
}
