import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StorageError } from "typeorm-private-files";
import { exactly } from "../../../src/delivery/body/byte-count.js";

const chunks = ["abcd", "efgh", "ijkl"].map((text) => Buffer.from(text));

describe("exactly", () => {
  it("gives the chunks as they come, the last one cut, and lets go of the rest", async () => {
    for (const [length, wanted] of [
      [12, ["abcd", "efgh", "ijkl"]],
      [8, ["abcd", "efgh"]],
      [5, ["abcd", "e"]],
      [1, ["a"]],
    ] as const) {
      const source = sourceOf();
      assert.deepEqual(await textsOf(exactly("a.txt", { start: 10, end: 9 + length }, source.chunks)), wanted);
      assert.equal(source.left(), true);
    }
  });

  it("fails in place of a byte less", async () => {
    for (const missing of [1, 2, 1000]) {
      const given = exactly("a.txt", { start: 0, end: 11 + missing }, sourceOf().chunks);
      await assert.rejects(textsOf(given), (error) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, new RegExp(`^a\\.txt: the object ended ${missing} bytes early\\.`));
        return true;
      });
    }
  });
});

async function textsOf(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(Buffer.from(chunk).toString());
  return texts;
}

function sourceOf() {
  let left = false;
  const source = async function* () {
    try {
      yield* chunks;
    } finally {
      left = true;
    }
  };
  return { chunks: source(), left: () => left };
}
