import { Router } from "@koa/router";
import type { Context } from "koa";
import type { DataSource } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { CountedDownload } from "./models/counted-download.js";
import { FileSubmission } from "./models/file-submission.js";
import { homePage } from "./pages/home.js";

/** The home page, for those who are signed in. The others are asked to. */
export function homeRoutes(dataSource: DataSource, files: PrivateFiles): Router {
  const router = new Router();
  const newestFirst = { order: { createdAt: "DESC", id: "DESC" }, take: 100 } as const;

  router.get("/", async (ctx) => {
    const { user } = ctx.state;
    if (!user) return ctx.redirect("/sign-in");
    const submissions = await dataSource
      .getRepository(FileSubmission)
      .find({ ...newestFirst, relations: { owner: true } });
    const downloads = await dataSource.getRepository(CountedDownload).find(newestFirst);
    ctx.body = homePage(files, { user, submissions, downloads, notice: takeNotice(ctx) });
  });
  return router;
}

function takeNotice(ctx: Context): string | undefined {
  const notice: string | undefined = ctx.session.notice;
  if (notice) delete ctx.session.notice;
  return notice;
}
