import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chart, type Group, layOut } from "./chart.js";

const groups: Group[] = [
  { heading: "1 KiB", bars: [bar("ours", 0.5, true), bar("koa-send", 1)] },
  { heading: "1 MiB", bars: [bar("ours", 0.25, true), bar("koa-send", 1), bar("a <slow> one", 2)] },
];

describe("The chart", () => {
  it("draws every bar as long as its value, at one scale for all groups", () => {
    const [small, large] = layOut(groups).groups;
    const longest = large!.bars[2]!.width;
    assert.deepEqual(
      [...small!.bars, ...large!.bars].map(({ width }) => width / longest),
      [0.25, 0.5, 0.125, 0.5, 1],
    );
  });

  it("draws the line of 1 where bars of that value end", () => {
    for (const { one, bars } of layOut(groups).groups) {
      const { x, width } = bars.find(({ name }) => name === "koa-send")!;
      assert.equal(one.x, x + width);
    }
  });

  it("draws nothing over another thing, nor over the edge", () => {
    const { groups: placed, height } = layOut(groups);
    const tops = placed.flatMap(({ y, bars }) => [y, ...bars.map((one) => one.y)]);
    assert.deepEqual(
      tops,
      tops.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(tops).size, tops.length);
    assert.ok(Math.max(...tops) + 20 < height);
  });

  it("says in words what it shows, and takes no name for markup", () => {
    const svg = chart("A title", "A note.", groups);
    assert.match(svg, /role="img" aria-labelledby="title description"/);
    assert.match(svg, /<title id="title">A title<\/title>/);
    assert.match(svg, /<desc id="description">A note\. 1 KiB: ours 0\.50; koa-send 1\.00\. 1 MiB: ours 0\.25;/);
    assert.match(svg, /prefers-color-scheme: dark/);
    assert.doesNotMatch(svg, /<slow>/);
  });
});

function bar(name: string, value: number, ours = false) {
  return { name, value, ours };
}
