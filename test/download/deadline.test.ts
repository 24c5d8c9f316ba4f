import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DownloadError } from "typeorm-private-files";
import { withinDeadline } from "../../src/download/deadline.js";

// biome-ignore-start lint/suspicious/noThenProperty: that is what awaiting looks at.
describe("withinDeadline", () => {
  for (const value of [true, 0, "", undefined, null, {}, { then: "no function" }, [1]]) {
    it(`hands back ${JSON.stringify(value)} as it is, and starts no clock for it`, async (t) => {
      const clock = t.mock.method(globalThis, "setTimeout");
      assert.equal(await withinDeadline(10, "it", value), value);
      assert.equal(clock.mock.callCount(), 0);
    });
  }

  it("awaits a promise, and whatever else can be awaited, and then stops its clock", async () => {
    const before = clocks();
    assert.equal(await withinDeadline(10, "it", Promise.resolve(1)), 1);
    assert.equal(
      await withinDeadline(10, "it", { then: (resolve: (value: number) => void) => resolve(2) } as never),
      2,
    );
    const error = new Error("no");
    await assert.rejects(withinDeadline(10, "it", Promise.reject(error)), error);
    assert.equal(clocks(), before);
  });

  it("fails with 503 after as many seconds, and not before", async () => {
    const start = performance.now();
    await assert.rejects(withinDeadline(0.2, "Waiting", new Promise(() => {})), (error) => {
      assert.ok(error instanceof DownloadError);
      assert.deepEqual([error.status, error.message], [503, "Waiting took longer than 0.2 seconds."]);
      return true;
    });
    assert.ok(performance.now() - start > 190);
    assert.equal(await withinDeadline(5, "Waiting", sleep(20, "in time")), "in time");
  });
});
// biome-ignore-end lint/suspicious/noThenProperty: that is what awaiting looks at.

function clocks(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}
