import Router from "@koa/router";
import type { Repository } from "typeorm";
import type { PrivateFile, PrivateFiles } from "typeorm-private-files";

interface FileSubmission {
  id: number;
  uploadedFile: PrivateFile | null;
}

export function linksByPath(files: PrivateFiles, submissions: Repository<FileSubmission>): Router {
  const router = new Router();
  router.get("/media/*path", async (ctx) => {
    const { user } = ctx.state;
    const { path } = ctx.params;
    if (user == null || !path || path.includes("\0")) return;
    const submission = await submissions
      .createQueryBuilder("submission")
      .where("submission.owner = :owner AND submission.uploadedFile = :path", { owner: user.id, path })
      .orderBy("submission.id")
      .getOne();
    if (submission) ctx.redirect(files.url(submission, "uploadedFile"));
  });
  return router;
}
