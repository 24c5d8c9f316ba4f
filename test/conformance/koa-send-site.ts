import { createRequire } from "node:module";
import etag from "@koa/etag";
import type { Middleware } from "koa";
import conditionalGet from "koa-conditional-get";
import send from "koa-send";
import { RULE_FAILURE, type Site, type SiteFolders } from "./site.js";

const require = createRequire(import.meta.url);
// It comes without types.
const range: Middleware = require("koa-range");

/**
 * koa-send with its defaults, given the stored key of a file, as an application with a database does, and `ctx.path`, as
 * its README does, for what no row names.
 */
export function koaSendSite({ root, large }: SiteFolders, companions: Middleware[] = []): Site {
  const files = new Map<string, { key: string; root: string }>();
  const sendFile: Middleware = async (ctx) => {
    const file = files.get(ctx.path) ?? { key: ctx.path, root };
    await send(ctx, file.key, { root: file.root });
  };
  return {
    middleware: [rule, ...companions, sendFile],
    async register({ key, large: isLarge }) {
      const url = `/${key.split("/").map(encodeURIComponent).join("/")}`;
      files.set(url, { key, root: isLarge ? large : root });
      return { url, shownUrl: url, base: "" };
    },
    serveWithoutRoot: () => async (ctx) => {
      await send(ctx, ctx.path);
    },
  };
}

/** What is put around koa-send for conditional requests and ranges, in the order that their READMEs give. */
export function usualCompanions(): Middleware[] {
  return [conditionalGet(), etag(), range];
}

const rule: Middleware = (ctx, next) => {
  if (ctx.get("X-Rule") === "deny") ctx.throw(403);
  if (ctx.get("X-Rule") === "fail") throw new Error(RULE_FAILURE);
  return next();
};
