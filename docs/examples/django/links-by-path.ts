import Router from "@koa/router";
import type { PrivateFiles } from "typeorm-private-files";
import { FileSubmission } from "./models.js";

export function linksByPath(files: PrivateFiles): Router {
  const router = new Router();
  router.get("/media/*path", async (ctx) => {
    const { user } = ctx.state;
    const { path } = ctx.params;
    if (!user || !path || path.includes("\0")) return;
    const submission = await files.dataSource.manager
      .createQueryBuilder(FileSubmission, "submission")
      .where("submission.owner = :owner AND submission.uploadedFile = :path", { owner: user.id, path })
      .orderBy("submission.id")
      .getOne();
    if (submission) ctx.redirect(files.url(submission, "uploadedFile"));
  });
  return router;
}
