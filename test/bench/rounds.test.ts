import assert from "node:assert/strict";
import { it } from "node:test";
import { rotated } from "./rounds.js";

it("Each round begins with another contestant, and leaves none out", () => {
  const orders = [0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""));
  assert.deepEqual(orders, ["abc", "bca", "cab", "abc"]);
});
