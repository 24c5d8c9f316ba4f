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
    const bytesSent = bytesOf(event, aborted);
    tellSubscribers("afterDownload", { ...event, aborted, seconds, bytesSent }).catch((error: Error) =>
      ctx.app.emit("error", error, ctx),
    );
  });
}

function bytesOf({ ctx, file, range }: BeforeDownloadEvent, aborted: boolean): number | undefined {
  if (ctx.res.statusCode >= 400 || !ctx.res.headersSent) return 0;
  if (ctx.body instanceof ObjectBody) return ctx.body.bytesSent;
  if (!Buffer.isBuffer(ctx.body)) return undefined;
  if (aborted) return 0;
  return range ? range.end - range.start + 1 : file.size;
}
