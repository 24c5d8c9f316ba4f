import { fileURLToPath } from "node:url";
import { Router } from "@koa/router";
import Koa from "koa";
import send from "koa-send";
import session from "koa-session";
import type { PrivateFiles } from "typeorm-private-files";
import { friendlyErrors, logFailure } from "./errors.js";
import { homeOf, homeRoutes } from "./home.js";
import { safetyHeaders, sameOriginOnly } from "./safety.js";
import { currentUser, signInRoutes } from "./sign-in.js";
import { submissionRoutes } from "./submissions.js";
import { uploadRoutes } from "./uploads.js";

/** What {@link createSite} needs to know. */
export interface SiteOptions {
  /** Signs the session cookie. */
  sessionSecret: string;
}

/** The example site, for the private files of a data source that is initialized and prepared. */
export function createSite(files: PrivateFiles, options: SiteOptions): Koa {
  const { dataSource } = files;
  const app = new Koa();
  app.keys = [options.sessionSecret];
  app.on("error", logFailure);
  app.use(safetyHeaders);
  app.use(friendlyErrors);
  app.use(publicFiles().routes());
  app.use(session({ key: "session", sameSite: "lax", maxAge: "session" }, app));
  app.use(sameOriginOnly);
  app.use(currentUser(dataSource));
  app.use(files.routes());
  app.use(signInRoutes(dataSource).routes());
  const home = homeOf(dataSource, files);
  app.use(homeRoutes(home).routes());
  app.use(uploadRoutes(dataSource, files, home).routes());
  app.use(submissionRoutes(dataSource, files).routes());
  return app;
}

// They are not compiled, so they stay in the source folder, seen here from dist/docs/examples/site.
const PUBLIC = fileURLToPath(new URL("../../../../docs/examples/site/public/", import.meta.url));

function publicFiles(): Router {
  const router = new Router();
  router.get(["/site.css", "/site.js", "/icon.svg"], async (ctx) => {
    ctx.set("Cache-Control", "no-cache");
    await send(ctx, ctx.path, { root: PUBLIC });
  });
  return router;
}
