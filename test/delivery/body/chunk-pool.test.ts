import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkPool } from "../../../src/delivery/body/chunk-pool.js";

const KiB = 1024;

describe("ChunkPool", () => {
  it("gives the memory of a chunk to the next one of like size, once", () => {
    const pool = new ChunkPool();
    const memory = pool.take(200 * KiB);
    assert.equal(memory.length, 256 * KiB);
    pool.giveBack(memory);
    assert.equal(pool.take(130 * KiB), memory);
    assert.notEqual(pool.take(130 * KiB), memory);
    pool.giveBack(memory);
    assert.notEqual(pool.take(128 * KiB), memory);
  });

  it("gives memory of at least the size, and of less than twice that", () => {
    const pool = new ChunkPool();
    for (const size of [0, 1, 100, 16_383, 16_384, 16_385, 60_000, 65_536, 65_537, 262_144, 262_145, 1_000_000]) {
      const { length } = pool.take(size);
      assert.ok(length >= size && length < Math.max(1, size) * 2, `${length} bytes for ${size}`);
    }
  });

  it("keeps 4 MiB at most, and nothing that is no chunk's", () => {
    const pool = new ChunkPool();
    const all = new Set(Array.from({ length: 40 }, () => pool.take(256 * KiB)));
    for (const memory of all) pool.giveBack(memory);
    let known = 0;
    for (let n = 0; n < 40; n++) if (all.has(pool.take(256 * KiB))) known++;
    assert.equal(known, 16);
    for (const size of [100, 300 * KiB]) {
      const memory = pool.take(size);
      pool.giveBack(memory);
      assert.notEqual(pool.take(size), memory);
    }
  });
});
