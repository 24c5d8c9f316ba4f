import { Router } from "@koa/router";
import type { Context } from "koa";
import type { DataSource } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { seeOther, wantsJson } from "./form.js";
import { type IncomingFile, parseUpload, uploadsOf } from "./incoming-files.js";
import { CountedDownload } from "./models/counted-download.js";
import { FileSubmission } from "./models/file-submission.js";
import { signedInOnly } from "./sign-in.js";

/** The two upload forms. Both take several files, each of which becomes a row. */
export function uploadRoutes(dataSource: DataSource, files: PrivateFiles, incomingRoot: string): Router {
  const router = new Router();
  const submissions = dataSource.getRepository(FileSubmission);
  const downloads = dataSource.getRepository(CountedDownload);

  // Who may upload is asked before a byte of the body is read.
  router.use(signedInOnly, parseUpload(incomingRoot));
  router.post("/submissions", async (ctx) => {
    const uploads = uploadsOf(ctx);
    for (const { file, description } of uploads) {
      const submission = submissions.create({ description, owner: ctx.state.user, createdAt: new Date() });
      await files.attach(submission, "uploadedFile", file);
      await submissions.save(submission);
    }
    confirm(ctx, uploads);
  });
  router.post("/downloads", async (ctx) => {
    const uploads = uploadsOf(ctx);
    for (const { file, description } of uploads) {
      const download = downloads.create({ description, createdAt: new Date() });
      await files.attach(download, "downloadable", file);
      await downloads.save(download);
    }
    confirm(ctx, uploads);
  });
  return router;
}

function confirm(ctx: Context, uploads: readonly IncomingFile[]): void {
  const message = `Uploaded ${uploads.length === 1 ? uploads[0]?.name : `${uploads.length} files`}.`;
  if (wantsJson(ctx)) {
    ctx.status = 201;
    ctx.body = { message };
    return;
  }
  ctx.session.notice = message;
  seeOther(ctx, "/");
}
