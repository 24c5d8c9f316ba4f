import type { Context } from "koa";

/** A field of the parsed form, or `undefined` when it was left out or sent twice. */
export function field(ctx: Context, name: string): string | undefined {
  const body = ctx.request.body as Record<string, unknown> | undefined;
  const value = body?.[name];
  return typeof value === "string" ? value : undefined;
}

/** Sends the browser from a form that was posted to a page that it can reload. */
export function seeOther(ctx: Context, path: string): void {
  ctx.redirect(path);
  ctx.status = 303;
}

/** Whether the page's own script asks, rather than a browser that shows what comes back. */
export function wantsJson(ctx: Context): boolean {
  return ctx.accepts("html", "json") === "json";
}
