import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KOA_SEND, OURS } from "./names.js";
import type { Findings } from "./run.js";
import { samplesOf } from "./some-samples.js";
import { targetTable, wholeFileTable } from "./tables.js";
import type { Target } from "./targets.js";

const samples = samplesOf(
  [
    { scene: "1 KiB", contestant: KOA_SEND },
    {
      rate: [2000, 1000],
      cpuPerRequest: [0.0004, 0.0008],
      cpuPerGigabyte: [400, 800],
      p50: [0.004, 0.004],
      p99: [0.02, 0.02],
      peak: [2e8, 1e8],
    },
  ],
  [
    { scene: "1 KiB", contestant: OURS },
    {
      rate: [3000, 1500],
      cpuPerRequest: [0.0003, 0.0006],
      cpuPerGigabyte: [300, 600],
      p50: [0.003, 0.003],
      p99: [0.001, 0.001],
      peak: [1e8, 1e8],
    },
  ],
);

describe("The table of a whole file", () => {
  it("has medians, ratios to koa-send within the rounds, and the greatest memory", () => {
    assert.deepEqual(wholeFileTable(samples, "1 KiB").split("\n").slice(2), [
      "| koa-send | 1500 | 1.00 | 600 µs | 1.00 | 600 | 4.00 ms | 20.0 ms | 191 MiB |",
      `| ${OURS} | 2250 | 1.50 | 450 µs | 0.75 | 450 | 3.00 ms | 1.00 ms | 95 MiB |`,
    ]);
  });
});

describe("The table of targets", () => {
  it("says what came, and whether that is enough", () => {
    const targets: Target[] = [
      { what: "CPU", at: "most", limit: 0.5, came: () => 0.5 },
      { what: "speed", at: "least", limit: 4, came: () => 3.9 },
      { what: "memory", at: "most", limit: 40, unit: "MiB", came: () => 12.3 },
      { what: "unknown", at: "most", limit: 1, came: () => undefined },
    ];
    assert.deepEqual(
      targetTable({} as Findings, targets)
        .split("\n")
        .slice(2),
      [
        "| CPU | ≤ 0.5 | 0.50 | ✓ |",
        "| speed | ≥ 4 | 3.90 | ✗ |",
        "| memory | ≤ 40 MiB | 12 MiB | ✓ |",
        "| unknown | ≤ 1 | not measured |  |",
      ],
    );
  });
});
