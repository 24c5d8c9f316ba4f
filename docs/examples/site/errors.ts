import type { Context, Middleware } from "koa";
import { DownloadError } from "typeorm-private-files";
import { wantsJson } from "./form.js";
import { errorPage, explain } from "./pages/error.js";
import { signInPath } from "./return-path.js";

/** What a form that is shown again needs beside the text. */
export interface RefusalDetails {
  /** The field that is wrong. */
  field?: "file" | "description";
  /** What was typed into the description. */
  typed?: string | undefined;
}

/** A request that the site refuses, with a text for whoever sent it. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(message);
  }
}

/** Answers every error with a page, or with JSON where the page's script asks for that. */
export const friendlyErrors: Middleware = async (ctx, next) => {
  try {
    await next();
    if (ctx.status === 404 && ctx.body == null) answer(ctx, 404);
  } catch (error) {
    // The answer has begun; only Koa can still cut the connection.
    if (ctx.headerSent) throw error;
    const status = statusOf(error);
    if (status >= 500) ctx.app.emit("error", error, ctx);
    if (error instanceof DownloadError) addHeaders(ctx, error.headers);
    answer(ctx, status, error instanceof Refusal ? error.message : undefined);
  }
};

// Such as Allow and Retry-After. Those that the site sets itself suit its pages better: the package's own policy lets
// nothing load, which is right for a file and would leave a page without its style sheet.
function addHeaders(ctx: Context, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) if (!ctx.res.hasHeader(name)) ctx.set(name, value);
}

/** Writes what broke to the console. A browser that leaves early breaks nothing, but Koa reports that as well. */
export function logFailure(error: { code?: string; headerSent?: boolean }): void {
  if (!error.headerSent || !BROWSER_LEFT.has(error.code ?? "")) console.error(error);
}

const BROWSER_LEFT = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "HPE_INVALID_EOF_STATE"]);

function answer(ctx: Context, status: number, message?: string): void {
  const { title, text } = explain(status, ctx.state.user);
  ctx.status = status;
  ctx.body = wantsJson(ctx)
    ? { message: message ?? text }
    : errorPage({ status, title, text: message ?? text, user: ctx.state.user, signInPath: signInPath(ctx) });
}

function statusOf(error: unknown): number {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" && status >= 400 && status < 600 ? status : 500;
}
