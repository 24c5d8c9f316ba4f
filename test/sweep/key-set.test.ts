import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeySet } from "../../src/sweep/key-set.js";

describe("KeySet", () => {
  it("knows the keys that were added, which of them were seen, and no others, however often it grows", () => {
    const keys = new KeySet();
    const key = (index: number) => `uploads/${index}/report.pdf`;
    for (let index = 0; index < 20_000; index++) {
      keys.add(key(index));
      if (index % 3 === 0) assert.equal(keys.see(key(index)), true);
    }
    for (let index = 0; index < 20_000; index += 2) keys.add(key(index));
    assert.deepEqual([keys.size, keys.seenCount], [20_000, 6667]);
    for (let index = 0; index < 20_000; index++) {
      assert.deepEqual([keys.has(key(index)), keys.wasSeen(key(index))], [true, index % 3 === 0]);
      assert.deepEqual(
        [keys.has(key(-1 - index)), keys.see(key(-1 - index)), keys.wasSeen(key(-1 - index))],
        [...[false, false, false]],
      );
    }
    assert.deepEqual([keys.size, keys.seenCount], [20_000, 6667]);
    keys.see(key(0));
    assert.equal(keys.seenCount, 6667);
  });
});
