import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { isOver, whenOver } from "../../src/http/response-over.js";

describe("whenOver", () => {
  for (const first of ["res", "socket"] as const) {
    it(`calls back once, whatever closes: first the ${first === "res" ? "response" : "connection"}`, (t) => {
      const { exchange, emitters } = exchangeOf();
      const callback = t.mock.fn();
      whenOver(exchange, callback);
      assert.equal(callback.mock.callCount(), 0);
      emitters[first].emit("close");
      assert.equal(callback.mock.callCount(), 1);
      for (const emitter of Object.values(emitters)) emitter.emit("close");
      assert.equal(callback.mock.callCount(), 1);
    });
  }

  for (const over of [{ closed: true }, { destroyed: true }]) {
    it(`calls back at once, and not again, where it is over already: ${Object.keys(over)}`, (t) => {
      const { exchange, emitters } = exchangeOf(over);
      const callback = t.mock.fn();
      assert.equal(isOver(exchange), true);
      whenOver(exchange, callback);
      assert.equal(callback.mock.callCount(), 1);
      for (const emitter of Object.values(emitters)) emitter.emit("close");
      assert.equal(callback.mock.callCount(), 1);
    });
  }

  it("calls everybody back, in their order, by one listener to each", () => {
    const { exchange, emitters } = exchangeOf();
    const called: number[] = [];
    for (let n = 0; n < 20; n++) whenOver(exchange, () => called.push(n));
    for (const emitter of Object.values(emitters)) assert.equal(emitter.listenerCount("close"), 1);
    emitters.res.emit("close");
    assert.deepEqual(
      called,
      Array.from({ length: 20 }, (_, n) => n),
    );
  });

  it("tells of each response of a connection by itself, and of those that wait when it closes", () => {
    const { exchange, emitters } = exchangeOf();
    const second = exchangeOf({}, emitters.socket);
    const called: string[] = [];
    whenOver(exchange, () => called.push("first"));
    whenOver(second.exchange, () => called.push("second"));
    assert.equal(emitters.socket.listenerCount("close"), 1);
    emitters.res.emit("close");
    assert.deepEqual(called, ["first"]);
    emitters.socket.emit("close");
    assert.deepEqual(called, ["first", "second"]);
  });
});

/** A response and its connection, of which nothing is known but whether they are over, and when. */
function exchangeOf({ closed = false, destroyed = false } = {}, socket: EventEmitter = new EventEmitter()) {
  const res = Object.assign(new EventEmitter(), { closed });
  const exchange = { req: { socket: Object.assign(socket, { destroyed }) }, res };
  return { exchange: exchange as unknown as Parameters<typeof whenOver>[0], emitters: { res, socket } };
}
