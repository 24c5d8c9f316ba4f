import { Router } from "@koa/router";
import type { Context } from "koa";
import type { DataSource } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { CountedDownload } from "./models/counted-download.js";
import { FileSubmission } from "./models/file-submission.js";
import { type FormProblem, homePage } from "./pages/home.js";

/** Renders the home page for who is signed in. */
export type HomePage = (ctx: Context, problem?: FormProblem) => Promise<string>;

/** The home page of a data source, with what was wrong with a form. */
export function homeOf(dataSource: DataSource, files: PrivateFiles): HomePage {
  const newestFirst = { order: { createdAt: "DESC", id: "DESC" }, take: 100 } as const;
  return async (ctx, problem) => {
    const submissions = await dataSource
      .getRepository(FileSubmission)
      .find({ ...newestFirst, relations: { owner: true } });
    const downloads = await dataSource.getRepository(CountedDownload).find(newestFirst);
    return homePage(files, { user: ctx.state.user, submissions, downloads, problem, notice: takeNotice(ctx) });
  };
}

/** The route of the home page, for those who are signed in. The others are asked to. */
export function homeRoutes(home: HomePage): Router {
  const router = new Router();
  router.get("/", async (ctx) => {
    if (!ctx.state.user) return ctx.redirect("/sign-in");
    ctx.body = await home(ctx);
  });
  return router;
}

function takeNotice(ctx: Context): string | undefined {
  const notice: string | undefined = ctx.session.notice;
  if (notice) delete ctx.session.notice;
  return notice;
}
