import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { median, percentile, spread } from "./statistics.js";

describe("The median", () => {
  it("is the number in the middle, whatever the order", () => {
    assert.equal(median([30, 1, 2]), 2);
    assert.equal(median([5]), 5);
  });

  it("of an even count is the mean of the two in the middle", () => {
    assert.equal(median([4, 1, 100, 2]), 3);
  });
});

it("The spread of numbers is the greatest, of the least", () => {
  assert.equal(spread([3, 2, 5]), 2.5);
  assert.equal(spread([3]), 1);
});

describe("A percentile", () => {
  it("is the least number that this share does not exceed", () => {
    const numbers = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.equal(percentile(numbers, 0.5), 100);
    assert.equal(percentile(numbers, 0.99), 198);
    assert.equal(percentile(numbers, 1), 200);
  });

  it("of a few numbers is the greatest when the share is large", () => {
    assert.equal(percentile([1, 3, 2], 0.99), 3);
  });
});
