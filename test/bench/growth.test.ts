import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isReached } from "./aims.js";
import { atOnceSection } from "./growth/at-once.js";
import { coldStartSection } from "./growth/cold-start.js";
import { page } from "./growth/page.js";
import type { Section } from "./growth/part.js";
import { rowSeries } from "./growth/rows.js";
import { seriesSection } from "./growth/series.js";
import { sweepSection } from "./growth/sweeps.js";
import { uploadSection } from "./growth/uploads.js";
import { samplesOf } from "./some-samples.js";

const MiB = 2 ** 20;

describe("The section of a series", () => {
  const series = { ...rowSeries, sizes: [10, 1000, 10_000] };
  const samples = samplesOf(
    [{ scene: "1 KiB", contestant: "10 rows, better-sqlite3" }, { cpuPerRequest: [0.25, 0.5] }],
    [{ scene: "1 KiB", contestant: "1000 rows, better-sqlite3" }, { cpuPerRequest: [0.375, 0.75] }],
    [{ scene: "1 KiB", contestant: "10000 rows, better-sqlite3" }, { cpuPerRequest: [0.25, 0.5] }],
  );
  const section = seriesSection(series, samples);

  it("compares each size with the first, within the rounds", () => {
    assert.deepEqual(rowsOf(section), [
      "| better-sqlite3 | 10 | 1.00 | 375 ms | 1.00 |",
      "| better-sqlite3 | 1,000 | 1.00 | 563 ms | 1.50 |",
      "| better-sqlite3 | 10,000 | 1.00 | 375 ms | 1.00 |",
    ]);
  });

  it("holds the dearest size against the aim, and says of a database that was not there that it was not measured", () => {
    assert.deepEqual(
      section.outcomes.map(({ came }) => came),
      [1.5, undefined],
    );
  });
});

describe("The section of downloads at once", () => {
  it("compares each number with ten, and holds the dearest larger number of 64 KiB against the aim", () => {
    const cpu = { "64 KiB": [9, 1, 2, 3], "1 MiB": [1, 4, 20, 40] };
    const samples = samplesOf(
      ...Object.entries(cpu).flatMap(([file, values]) =>
        values.map((value, index): Parameters<typeof samplesOf>[number] => [
          { scene: `${file}, ${10 ** index} at once`, contestant: "many at once" },
          { cpuPerRequest: [value] },
        ]),
      ),
    );
    const section = atOnceSection(samples);
    assert.equal(section.outcomes[0]!.came, 3);
    assert.equal(rowsOf(section)[7], "| 1 MiB | 1,000 | 1.00 | 40000 ms | 10.0 | 1000 ms | 0 MiB |");
  });
});

describe("The section of uploads", () => {
  it("holds the large ones against each other, and the memory of all against the aim", () => {
    const section = uploadSection([
      { label: "16 MiB", size: 16 * MiB, cpuPerGigabyte: 9, seconds: 0.005, extra: 30 * MiB },
      { label: "256 MiB", size: 256 * MiB, cpuPerGigabyte: 1, seconds: 0.5, extra: 20 * MiB },
      { label: "2 GiB", size: 2048 * MiB, cpuPerGigabyte: 1.25, seconds: 5, extra: 20 * MiB },
    ]);
    assert.deepEqual(
      section.outcomes.map(({ came, unit }) => [came, unit]),
      [
        [1.25, undefined],
        [30, "MiB"],
      ],
    );
    assert.equal(rowsOf(section)[0], "| 16 MiB | 9.00 | 5000 µs | 30 MiB |");
  });
});

describe("The section of sweeps", () => {
  it("compares what a key takes", () => {
    const section = sweepSection([
      { keys: 10_000, cpuPerKey: 4e-6, seconds: 0.04, peak: 100 * MiB },
      { keys: 1_000_000, cpuPerKey: 5e-6, seconds: 5, peak: 200 * MiB },
    ]);
    assert.equal(section.outcomes[0]!.came!.toFixed(3), "1.250");
    assert.deepEqual(rowsOf(section), [
      "| 10,000 | 4.00 µs | 40 ms | 100 MiB |",
      "| 1,000,000 | 5.00 µs | 5000 ms | 200 MiB |",
    ]);
  });
});

describe("The section of cold starts", () => {
  it("takes the median of what both steps took together", () => {
    const section = coldStartSection([
      { without: 0.4, importing: 0.02, building: 0.03 },
      { without: 0.3, importing: 0.03, building: 0.01 },
      { without: 0.5, importing: 0.01, building: 0.02 },
    ]);
    const [outcome] = section.outcomes;
    assert.equal(outcome!.came, 40);
    assert.ok(isReached(outcome!, 40));
    assert.equal(rowsOf(section)[3], "| both steps of the package | 40.0 ms | 30.0 ms | 50.0 ms |");
  });
});

it("The page of growth has all aims in one table, and each section", () => {
  const section: Section = {
    title: "Sweeps",
    outcomes: [{ what: "CPU of a key", at: "most", limit: 1.5, came: 1.2 }],
    text: "A table.",
  };
  const markdown = page([section], { machine: "A machine", versions: ["Node 20", "koa 3"], commit: "abc" });
  assert.match(markdown, /^- A machine\n- Node 20, koa 3\n- commit abc$/m);
  assert.match(markdown, /^\| CPU of a key \| ≤ 1.5 \| 1.20 \| ✓ \|$/m);
  assert.match(markdown, /^## Sweeps\n\nA table\.$/m);
});

function rowsOf({ text }: Section): string[] {
  return text.slice(text.indexOf("| ---")).split("\n").slice(1);
}
