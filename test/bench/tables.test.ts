import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { downloadTables } from "./downloads.js";
import { rotated } from "./rounds.js";
import { cpuRatio, medianOf, type Sample, type Subject } from "./samples.js";
import { KOA_SEND, OURS } from "./servers.js";
import { startTable } from "./start.js";
import { median } from "./statistics.js";

const ours = { scene: "1 KiB", server: OURS };
const koaSend = { scene: "1 KiB", server: KOA_SEND };
const denied = { scene: "403", server: OURS };

it("The median is the number in the middle, or the mean of the two in the middle", () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([4, 1, 100, 2]), 3);
});

it("Each round begins with another server, and leaves none out", () => {
  const orders = [0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""));
  assert.deepEqual(orders, ["abc", "bca", "cab", "abc"]);
});

describe("The ratio of two servers", () => {
  it("is taken within each round before the median", () => {
    // The medians are 200 and 200, but in two rounds of three the first takes half.
    const samples = [...samplesWith(ours, [50, 200, 500]), ...samplesWith(koaSend, [100, 400, 200])];
    assert.equal(medianOf(samples, ours, "cpu"), medianOf(samples, koaSend, "cpu"));
    assert.equal(cpuRatio(samples, ours, koaSend), 0.5);
  });
});

describe("The tables of downloads", () => {
  const samples = [
    ...samplesWith(ours, [0.0003, 0.0006]),
    ...samplesWith(denied, [0.0001, 0.0002]),
    ...samplesWith(koaSend, [0.0004, 0.0008]),
  ];
  const lines = downloadTables(samples, 2).split("\n");

  it("compare each scene with koa-send at the same file, or at the smallest, and name the aims", () => {
    assert.deepEqual(lines.slice(2, 7), [
      "|  | 1 KiB | 64 KiB | 1 MiB | 100 MiB | 304 | 403 | constant route |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
      `| ${OURS} | 0.75 |  |  |  |  | 0.25 |  |`,
      `| ${KOA_SEND} | 1.00 |  |  |  |  |  |  |`,
      "| aim | ≤ 0.75 | ≤ 0.75 | ≤ 0.45 | ≤ 0.37 | ≤ 0.6 | ≤ 0.6 |  |",
    ]);
  });

  it("give the median of CPU and rate, and the greatest memory", () => {
    const cells = lines.filter((line) => line.startsWith(`| ${OURS}`)).map((line) => line.split(" | ")[1]);
    assert.deepEqual(cells, ["0.75", "450 µs", "1500", "2 MiB"]);
  });
});

it("The table of starts compares the imports within each process", () => {
  const starts = [
    { peers: 0.4, ours: 0.1 },
    { peers: 0.2, ours: 0.1 },
    { peers: 0.5, ours: 0.2 },
  ];
  assert.deepEqual(startTable(starts).split("\n").slice(2), [
    "| `reflect-metadata`, `typeorm` and `koa` | 400 ms | 200 ms | 500 ms |",
    "| `typeorm-private-files` after them | 100 ms | 100 ms | 200 ms |",
    "| its share of theirs (bound: 0.33) | 0.40 | 0.25 | 0.50 |",
  ]);
});

function samplesWith(subject: Subject, cpus: number[]): Sample[] {
  return cpus.map((cpu, round) => ({ ...subject, round, cpu, rate: 1000 * (round + 1), peak: (round + 1) * 2 ** 20 }));
}
