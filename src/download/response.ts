import { type OutgoingHttpHeaders, STATUS_CODES } from "node:http";
import type { Context } from "koa";
import type { Delivery } from "../delivery/delivery.js";
import { leavesRange } from "../delivery/delivery-needs.js";
import { formatHttpDate } from "../http/http-date.js";
import type { Decision } from "./decide.js";
import type { Description } from "./describe.js";
import { fileHeaders, REFUSAL_HEADERS } from "./headers.js";

/**
 * What nginx keeps of a response in memory: by default some 64 KiB. It writes more to disk, 1 GiB ahead of a slow client, and
 * then takes nothing for so long that the response seems to have stalled. Without these buffers it puts nothing into its cache either, so
 * that a response which a shared cache may keep is left to nginx.
 */
const BUFFERS_OF_NGINX = 65_536;

/** Sets the status and the headers of the answer, for a file that is sent as well as for a decision against sending it. */
export function answer(
  ctx: Context,
  { status, content }: Decision,
  description: Description,
  delivery: Delivery,
): void {
  ctx.status = status;
  // Told so, koa-compress leaves the bytes alone that the length, the ranges and the strong ETag speak of.
  ctx.compress = false;
  if (status === 412 || status === 416) {
    refuse(ctx, status, description.object.size);
    return;
  }
  const headers = fileHeaders(description.inline, description.cacheControl ?? delivery.cacheControl);
  ctx.set(headers);
  ctx.set("ETag", description.validators.etag);
  if (content === undefined) return;
  ctx.set({ ...content.headers, ...representationHeaders(description, delivery.ranges !== false) });
  const isKept = !/\b(?:private|no-store)\b/i.test(headers["Cache-Control"]!);
  if (content.length > BUFFERS_OF_NGINX && !isKept && !leavesRange(delivery)) ctx.set("X-Accel-Buffering", "no");
  if (ctx.method === "HEAD") ctx.length = content.length;
}

/**
 * Runs what may fail after the headers of a file were set: an error's answer, also one that the application renders,
 * must not carry them.
 */
export async function restoringHeadersOnFailure(ctx: Context, send: () => Promise<void>): Promise<void> {
  const before = ctx.res.getHeaders();
  try {
    await send();
  } catch (error) {
    if (!ctx.headerSent) restoreHeaders(ctx, before);
    throw error;
  }
}

function restoreHeaders({ res }: Context, before: OutgoingHttpHeaders): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  for (const [name, value] of Object.entries(before)) if (value !== undefined) res.setHeader(name, value);
}

function refuse(ctx: Context, status: 412 | 416, size: number): void {
  ctx.set(REFUSAL_HEADERS);
  ctx.body = STATUS_CODES[status];
  if (status === 416) ctx.set("Content-Range", `bytes */${size}`);
}

function representationHeaders(description: Description, ranges: boolean): Record<string, string> {
  const { lastModified } = description.validators;
  return {
    "Content-Disposition": description.disposition,
    "Accept-Ranges": ranges ? "bytes" : "none",
    ...(lastModified && { "Last-Modified": formatHttpDate(lastModified) }),
  };
}
