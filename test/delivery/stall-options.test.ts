import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkStallTimeout } from "../../src/delivery/stall-options.js";

describe("checkStallTimeout", () => {
  it("takes 60 seconds where nothing is said, and up to a day", () => {
    assert.equal(checkStallTimeout("streamDelivery", {}), 60);
    for (const stallTimeout of [0.001, 1, 86_400]) {
      assert.equal(checkStallTimeout("streamDelivery", { stallTimeout }), stallTimeout);
    }
  });

  it("says whose option is wrong, what it is and what to give", () => {
    assert.throws(
      () => checkStallTimeout("koaSendDelivery", { stallTimeout: 0 }),
      /^ConfigurationError: koaSendDelivery: "stallTimeout" is 0\. Give seconds/,
    );
  });
});
