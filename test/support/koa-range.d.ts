declare module "koa-range" {
  import type { Middleware } from "koa";

  const range: Middleware;
  export default range;
}
