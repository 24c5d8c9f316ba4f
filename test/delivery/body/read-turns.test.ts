import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { turnsOf } from "../../../src/delivery/body/read-turns.js";
import type { Download } from "../../../src/delivery/delivery.js";

describe("the turns of those who read from a storage", () => {
  it("are 32 at once, and then one for each that ends, in the order in which they were waited for", async () => {
    const storage = {} as Download["storage"];
    const begun: number[] = [];
    const all = Array.from({ length: 40 }, (_, n) => {
      const turns = turnsOf({ ctx: contextOf().ctx, storage });
      void turns.begin().then(() => begun.push(n));
      return turns;
    });
    await turnOfTheLoop();
    assert.equal(begun.length, 32);
    all[5]!.end();
    all[5]!.end();
    all[35]!.end();
    await turnOfTheLoop();
    assert.deepEqual(begun.slice(32), [32]);
    for (const turns of all.slice(0, 32)) turns.end();
    await turnOfTheLoop();
    assert.deepEqual(begun.slice(32), [32, 33, 34, 35, 36, 37, 38, 39]);
  });

  it("go on to others when a client leaves, though the storage has not answered", async () => {
    const storage = {} as Download["storage"];
    const holders = Array.from({ length: 32 }, () => {
      const { ctx, leave } = contextOf();
      const turns = turnsOf({ ctx, storage });
      return { turns, leave };
    });
    await Promise.all(holders.map(({ turns }) => turns.begin()));
    let hasTurn = false;
    const waiting = turnsOf({ ctx: contextOf().ctx, storage })
      .begin()
      .then(() => {
        hasTurn = true;
      });
    await turnOfTheLoop();
    assert.equal(hasTurn, false);
    holders[7]!.leave();
    await waiting;
    assert.equal(hasTurn, true);
  });

  it("are not kept by one who left while waiting", async () => {
    const storage = {} as Download["storage"];
    const holders = Array.from({ length: 32 }, () => turnsOf({ ctx: contextOf().ctx, storage }));
    await Promise.all(holders.map((turns) => turns.begin()));
    const { ctx, leave } = contextOf();
    const left = turnsOf({ ctx, storage }).begin();
    const next = turnsOf({ ctx: contextOf().ctx, storage }).begin();
    leave();
    holders[0]!.end();
    await left;
    await next;
  });

  it("of one storage are none of another's", async () => {
    const busy = {} as Download["storage"];
    for (let n = 0; n < 32; n++) await turnsOf({ ctx: contextOf().ctx, storage: busy }).begin();
    await turnsOf({ ctx: contextOf().ctx, storage: {} as Download["storage"] }).begin();
  });
});

function contextOf(): { ctx: Download["ctx"]; leave(): void } {
  const res = Object.assign(new EventEmitter(), { closed: false });
  const req = { socket: Object.assign(new EventEmitter(), { destroyed: false }) };
  const leave = () => {
    res.closed = true;
    res.emit("close");
  };
  return { ctx: { req, res } as unknown as Download["ctx"], leave };
}
