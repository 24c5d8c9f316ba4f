import { Router } from "@koa/router";
import type { Context } from "koa";
import type { DataSource } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { seeOther } from "./form.js";
import { FileSubmission } from "./models/file-submission.js";
import { refusalOf } from "./refused-uploads.js";
import { signedInOnly } from "./sign-in.js";

/** What the owner of a submission may do with it: replace and delete its file, and see a preview of an image. */
export function submissionRoutes(dataSource: DataSource, files: PrivateFiles): Router {
  const router = new Router();
  const submissions = dataSource.getRepository(FileSubmission);

  // The column's condition decides here as well.
  router.get("/submissions/:id/preview", async (ctx) => {
    await files.send(ctx, await submissionOf(ctx), "uploadedFile", { attachment: false });
  });

  // The new file takes the place of the old one with the commit, which deletes that.
  router.post("/submissions/:id/replace", signedInOnly, async (ctx) => {
    const submission = await ownSubmissionOf(ctx);
    await files.receive(ctx, { file: [submission, "uploadedFile"] }).catch((error) => {
      throw refusalOf(error, 1);
    });
    await submissions.save(submission);
    ctx.session.notice = `${submission.description} is now ${submission.originalName}.`;
    seeOther(ctx, "/");
  });

  router.post("/submissions/:id/delete", signedInOnly, async (ctx) => {
    const submission = await ownSubmissionOf(ctx);
    await submissions.remove(submission);
    ctx.session.notice = `Deleted ${submission.description}.`;
    seeOther(ctx, "/");
  });

  async function submissionOf(ctx: Context): Promise<FileSubmission> {
    const id = /^[1-9]\d{0,8}$/.test(ctx.params.id) ? Number(ctx.params.id) : ctx.throw(404);
    const submission = await submissions.findOne({ where: { id }, relations: { owner: true } });
    return submission ?? ctx.throw(404);
  }

  async function ownSubmissionOf(ctx: Context): Promise<FileSubmission> {
    const submission = await submissionOf(ctx);
    const isOwn = ctx.state.user != null && submission.owner.id === ctx.state.user.id;
    return isOwn ? submission : ctx.throw(403);
  }

  return router;
}
