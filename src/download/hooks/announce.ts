import { AsyncResource } from "node:async_hooks";
import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import { ObjectBody } from "../../delivery/body/object-body.js";
import type { BeforeDownloadEvent, DenyingStep } from "../../hooks/events.js";
import { FalseResult } from "../../hooks/hook-result.js";
import { callHooks } from "../../hooks/subscribers.js";
import { whenOver } from "../../http/response-over.js";
import { withinDeadline } from "../deadline.js";
import { failed, mistake, report } from "../download-errors.js";
import { type DownloadRequest, eventOf } from "../request.js";

/**
 * Calls the `beforeDownload` hooks of a download that is about to be sent, and its `afterDownload` hooks when the response is over.
 *
 * @param timeout how many seconds all `beforeDownload` hooks may take together.
 * @throws DownloadError when one of them throws, returns `false` or takes longer.
 */
export async function announce(event: BeforeDownloadEvent, step: string, timeout: number): Promise<void> {
  try {
    await withinDeadline(timeout, step, callHooks("beforeDownload", event));
  } catch (error) {
    throw error instanceof FalseResult ? mistake(error.message) : failed(step, error, "message");
  }
  reportWhenOver(event);
}

/**
 * Calls the `downloadDenied` hooks of a refused request, without waiting for them, and returns the error to throw.
 *
 * @param step the step that refused.
 * @param entity absent where no row was found.
 */
export function denied<E extends { status: number }>(
  dataSource: DataSource,
  request: DownloadRequest,
  step: DenyingStep,
  error: E,
  entity?: ObjectLiteral,
): E {
  const { ctx } = request;
  const event = { ...eventOf(dataSource, request), entity, step, status: error.status };
  const name = `${request.column.subject}: "downloadDenied"`;
  callHooks("downloadDenied", event).catch((cause: unknown) => report(ctx, name, cause));
  return error;
}

function reportWhenOver(event: BeforeDownloadEvent): void {
  const { ctx } = event;
  const start = performance.now();
  // A response is over in the async context of its connection, which other requests share.
  const reportEnd = AsyncResource.bind(() => {
    // A delivery that failed before its first byte was answered with an error, which may well have gone out whole.
    const aborted = !ctx.res.writableFinished || ctx.res.statusCode >= 400;
    const seconds = (performance.now() - start) / 1000;
    const bytesSent = bytesOf(ctx, aborted);
    const name = `${event.metadata.name}.${event.propertyName}: "afterDownload"`;
    callHooks("afterDownload", { ...event, aborted, seconds, bytesSent }).catch((error: unknown) =>
      report(ctx, name, error),
    );
  });
  whenOver(ctx, reportEnd);
}

function bytesOf({ res, body }: Context, aborted: boolean): number | undefined {
  // koa-conditional-get around the routes may put a 304 in place of the file.
  if (res.statusCode === 304 || res.statusCode >= 400 || !res.headersSent) return 0;
  if (body instanceof ObjectBody) return body.bytesSent;
  if (!Buffer.isBuffer(body)) return undefined;
  return aborted ? 0 : body.length;
}
