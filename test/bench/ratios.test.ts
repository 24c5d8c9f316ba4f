import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KOA_SEND, OURS } from "./names.js";
import { movesOf, ratiosOf } from "./ratios.js";
import { notModified } from "./scenes.js";
import { samplesOf } from "./some-samples.js";

describe("The ratios of a run", () => {
  it("compare a whole file with koa-send's, another answer with koa-send's small file, and name both", () => {
    const samples = samplesOf(
      [{ scene: "1 KiB", contestant: KOA_SEND }, { cpuPerRequest: [300] }],
      [{ scene: "1 KiB", contestant: OURS }, { cpuPerRequest: [200] }],
      [{ scene: notModified.name, contestant: OURS }, { cpuPerRequest: [150] }],
    );
    const lookups = [{ database: "PostgreSQL" as const, load: 0.0003, driver: 0.00025, ratio: 1.2 }];
    assert.deepEqual(ratiosOf({ rounds: 1, samples, memory: {}, lookups }), {
      "CPU: typeorm-private-files, better-sqlite3, 1 KiB / koa-send, 1 KiB": 0.667,
      "CPU: typeorm-private-files, better-sqlite3, not modified / koa-send, 1 KiB": 0.5,
      "time: lookup on PostgreSQL / its driver": 1.2,
    });
  });

  it("have moved when they differ by more than a share of what they were, in either direction", () => {
    const before = { worse: 0.5, better: 0.5, same: 0.5, within: 0.5, gone: 0.5 };
    const now = { worse: 0.61, better: 0.39, same: 0.5, within: 0.59, added: 7 };
    assert.deepEqual(movesOf(before, now, 0.2), [
      { name: "worse", from: 0.5, to: 0.61 },
      { name: "better", from: 0.5, to: 0.39 },
    ]);
  });
});
