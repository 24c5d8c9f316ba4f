import type { Context } from "koa";

/** Where to sign in, to come back to the page that was asked for. */
export function signInPath({ method, url }: Context): string {
  return method === "GET" && url !== "/" ? `/sign-in?to=${encodeURIComponent(url)}` : "/sign-in";
}

/** A path of this site, whatever a link says: another site's address would lead people who have just signed in there. */
export function returnPath(wanted: unknown): string {
  const site = "http://site.invalid";
  if (typeof wanted !== "string" || !wanted.startsWith("/") || !URL.canParse(wanted, site)) return "/";
  const { origin, pathname, search } = new URL(wanted, site);
  return origin === site && !pathname.startsWith("//") ? pathname + search : "/";
}
