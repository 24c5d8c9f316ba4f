import type { Context } from "koa";
import { ObjectBody } from "../delivery/object-body.js";
import { whenOver } from "../http/response-over.js";
import { type BeforeDownloadEvent, tellSubscribers } from "./events.js";

/** Tells `afterDownload` hooks when the response is over, and the application when one of them throws. */
export function reportWhenOver(event: BeforeDownloadEvent): void {
  const { ctx } = event;
  const start = performance.now();
  whenOver(ctx, () => {
    // A delivery that failed before its first byte was answered with an error, which may well have gone out whole.
    const aborted = !ctx.res.writableFinished || ctx.res.statusCode >= 400;
    const seconds = (performance.now() - start) / 1000;
    const bytesSent = bytesOf(ctx, aborted);
    tellSubscribers("afterDownload", { ...event, aborted, seconds, bytesSent }).catch((error: Error) =>
      ctx.app.emit("error", error, ctx),
    );
  });
}

function bytesOf({ res, body }: Context, aborted: boolean): number | undefined {
  // koa-conditional-get around the routes may put a 304 in place of the file.
  if (res.statusCode === 304 || res.statusCode >= 400 || !res.headersSent) return 0;
  if (body instanceof ObjectBody) return body.bytesSent;
  if (!Buffer.isBuffer(body)) return undefined;
  return aborted ? 0 : body.length;
}
