import type { Context } from "koa";
import { answerHeadOverHttp2 } from "../../http/head-over-http2.js";
import { methodNotAllowed } from "../download-errors.js";

/**
 * Begins an answer: to GET and HEAD, and to no other method.
 *
 * @throws DownloadError 405
 */
export function assertReading(ctx: Context): void {
  answerHeadOverHttp2(ctx);
  if (ctx.method !== "GET" && ctx.method !== "HEAD") throw methodNotAllowed();
}
