import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkBudget } from "../../src/delivery/chunk-budget.js";

describe("ChunkBudget", () => {
  it("gives what is wanted, up to 256 KiB", () => {
    const budget = new ChunkBudget();
    for (const wanted of [1, 32_768, 32_769, 100_000, 262_144]) assert.equal(budget.take(wanted), wanted);
    assert.equal(budget.take(262_145), 262_144);
    assert.equal(budget.take(Number.POSITIVE_INFINITY), 262_144);
  });

  it("gives 32 KiB when 8 MiB are out in larger chunks, and larger ones again when some came back", () => {
    const budget = new ChunkBudget();
    for (let n = 0; n < 32; n++) assert.equal(budget.take(1_000_000), 262_144);
    for (let n = 0; n < 100; n++) assert.equal(budget.take(1_000_000), 32_768);
    assert.equal(budget.take(40_000), 32_768);
    assert.equal(budget.take(10), 10);
    for (let n = 0; n < 100; n++) {
      budget.giveBack(32_768);
      budget.giveBack(10_000);
    }
    assert.equal(budget.take(1_000_000), 32_768);
    budget.giveBack(262_144);
    assert.equal(budget.take(1_000_000), 262_144);
    assert.equal(budget.take(1_000_000), 32_768);
  });

  it("counts no chunk of 32 KiB or less", () => {
    const budget = new ChunkBudget();
    for (let n = 0; n < 1_000; n++) budget.take(32_768);
    assert.equal(budget.take(1_000_000), 262_144);
  });
});
