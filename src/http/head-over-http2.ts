import type { Context } from "koa";

/**
 * Has Koa answer an error to a HEAD over HTTP/2. Node says of such a stream from the start that nothing can be written to it,
 * and Koa takes that for an answer that was given: the client would wait for ever. Does nothing for other requests.
 */
export function answerHeadOverHttp2(ctx: Context): void {
  if (ctx.method !== "HEAD" || ctx.req.httpVersionMajor < 2) return;
  const get = () => !ctx.res.writableEnded && !ctx.req.socket.destroyed;
  Object.defineProperty(ctx, "writable", { get, configurable: true });
}
