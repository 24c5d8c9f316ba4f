import type { Middleware } from "koa";

export const sameSite: Middleware = async (ctx, next) => {
  await next();
  ctx.set("Cross-Origin-Resource-Policy", "same-site");
};
