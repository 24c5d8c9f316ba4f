import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { samplesOf } from "./some-samples.js";

const [ours, other] = [
  { scene: "1 KiB", contestant: "ours" },
  { scene: "1 KiB", contestant: "other" },
];

describe("The samples of all rounds", () => {
  it("give the median of a number, and the greatest", () => {
    const samples = samplesOf([ours, { rate: [10, 30, 20], peak: [1, 5, 2] }]);
    assert.equal(samples.median(ours, "rate"), 20);
    assert.equal(samples.most(ours, "peak"), 5);
  });

  it("compare within each round, and only then take the median", () => {
    // The medians are 200 and 200; but in two rounds of three ours takes half.
    const samples = samplesOf([ours, { cpuPerRequest: [50, 200, 500] }], [other, { cpuPerRequest: [100, 400, 200] }]);
    assert.equal(samples.ratio(ours, other, "cpuPerRequest"), 0.5);
    assert.equal(samples.difference(ours, other, "cpuPerRequest"), -50);
  });

  it("compare nothing with what was not measured", () => {
    const samples = samplesOf([ours, { rate: [1] }]);
    assert.equal(samples.ratio(ours, other, "rate"), undefined);
    assert.equal(samples.ratio(other, ours, "rate"), undefined);
    assert.equal(samples.has(other), false);
  });

  it("know who was measured in a scene, in the order of the first round", () => {
    const elsewhere = { scene: "1 MiB", contestant: "ours" };
    const samples = samplesOf([other, { rate: [1, 1] }], [ours, { rate: [1, 1] }], [elsewhere, { rate: [1, 1] }]);
    assert.deepEqual(samples.subjectsOf("1 KiB"), [other, ours]);
  });
});
