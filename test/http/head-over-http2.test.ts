import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Context } from "koa";
import { answerHeadOverHttp2 } from "../../src/http/head-over-http2.js";

describe("answerHeadOverHttp2", () => {
  it("has Koa write to a HEAD over HTTP/2 until it is ended, or its connection closed", () => {
    const { ctx, res, socket } = contextOf("HEAD", 2);
    answerHeadOverHttp2(ctx);
    assert.equal(ctx.writable, true);
    res.writableEnded = true;
    assert.equal(ctx.writable, false);
    res.writableEnded = false;
    socket.destroyed = true;
    assert.equal(ctx.writable, false);
  });

  it("may be asked of one request twice, as where one application is mounted in another", () => {
    const { ctx } = contextOf("HEAD", 2);
    for (let n = 0; n < 2; n++) answerHeadOverHttp2(ctx);
    assert.equal(ctx.writable, true);
  });

  for (const [method, version] of [
    ["GET", 2],
    ["POST", 2],
    ["HEAD", 1],
  ] as const) {
    it(`leaves a ${method} over HTTP/${version} to Koa`, () => {
      const { ctx } = contextOf(method, version);
      answerHeadOverHttp2(ctx);
      assert.equal(ctx.writable, "what Koa says");
    });
  }
});

function contextOf(method: string, httpVersionMajor: number) {
  const res = { writableEnded: false };
  const socket = { destroyed: false };
  const ctx: Context = Object.create({ writable: "what Koa says" });
  Object.assign(ctx, { method, req: { httpVersionMajor, socket }, res });
  return { ctx, res, socket };
}
