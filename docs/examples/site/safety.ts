import type { Middleware } from "koa";
import { Refusal } from "./errors.js";

/** The headers of every answer. Private files bring stricter ones of their own. */
export const safetyHeaders: Middleware = (ctx, next) => {
  ctx.set({
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
  });
  return next();
};

/**
 * Refuses forms that another site sent in the name of someone who is signed in here. The cookie is `SameSite=Lax`
 * already; this holds where sites share a domain too.
 */
export const sameOriginOnly: Middleware = (ctx, next) => {
  if (
    ctx.method !== "GET" &&
    ctx.method !== "HEAD" &&
    isCrossSite(ctx.get("Sec-Fetch-Site"), ctx.get("Origin"), ctx.host)
  ) {
    throw new Refusal(403, "This form was sent from another site.");
  }
  return next();
};

// A browser sends at least one of the two with every POST. What sends neither is no browser, and has no one's cookie.
function isCrossSite(fetchSite: string, origin: string, host: string): boolean {
  if (fetchSite !== "") return fetchSite !== "same-origin" && fetchSite !== "none";
  if (origin === "") return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
