import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkBudget } from "../../../src/delivery/body/chunk-budget.js";

const KiB = 1024;

describe("ChunkBudget", () => {
  it("gives what is wanted, up to 256 KiB", () => {
    const budget = new ChunkBudget();
    for (const wanted of [0, 1, 100_000, 256 * KiB]) assert.equal(budget.take(wanted), wanted);
    assert.equal(budget.take(256 * KiB + 1), 256 * KiB);
    assert.equal(budget.take(Number.POSITIVE_INFINITY), 256 * KiB);
  });

  it("gives less the more is out, never less than 16 KiB, and always less than is wanted only for that", () => {
    const budget = new ChunkBudget();
    const sizes = Array.from({ length: 2_000 }, () => budget.take(1_000_000));
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
    assert.ok(sizes.slice(0, 32).every((size) => size === 256 * KiB));
    assert.ok(sizes[100]! < 256 * KiB && sizes[100]! > 16 * KiB);
    assert.ok(sizes.slice(500).every((size) => size === 16 * KiB));
    assert.ok(sizes.every((size) => size % 4096 === 0));
    assert.equal(budget.take(10), 10);
    const total = sizes.reduce((sum, size) => sum + size);
    assert.ok(total / sizes.length < 24 * KiB, `${total / sizes.length} bytes each`);
  });

  it("gives large ones again as soon as they came back", () => {
    const budget = new ChunkBudget();
    const sizes = Array.from({ length: 2_000 }, () => budget.take(1_000_000));
    for (const size of sizes) budget.giveBack(size);
    for (let n = 0; n < 32; n++) assert.equal(budget.take(1_000_000), 256 * KiB);
  });
});
