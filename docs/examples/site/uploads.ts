import { Router } from "@koa/router";
import type { Context, Middleware } from "koa";
import type { DataSource } from "typeorm";
import type { Form, PrivateFileProperty, PrivateFiles } from "typeorm-private-files";
import { Refusal } from "./errors.js";
import { seeOther, wantsJson } from "./form.js";
import type { HomePage } from "./home.js";
import { CountedDownload } from "./models/counted-download.js";
import { FileSubmission } from "./models/file-submission.js";
import { refusalOf } from "./refused-uploads.js";
import { signedInOnly } from "./sign-in.js";

const MAX_FILES = 20;

/** The two upload forms. Both take several files, each of which becomes a row. */
export function uploadRoutes(dataSource: DataSource, files: PrivateFiles, home: HomePage): Router {
  const router = new Router();
  const submissions = dataSource.getRepository(FileSubmission);
  const downloads = dataSource.getRepository(CountedDownload);

  // Who may upload is asked before a byte of the body is read.
  router.post("/submissions", signedInOnly, showProblems(home, "submission"), async (ctx) => {
    const make = () => submissions.create({ owner: ctx.state.user, createdAt: new Date() });
    confirm(ctx, await submissions.save(await receiveRows(files, ctx, make, "uploadedFile")));
  });
  router.post("/downloads", signedInOnly, showProblems(home, "download"), async (ctx) => {
    const make = () => downloads.create({ createdAt: new Date() });
    confirm(ctx, await downloads.save(await receiveRows(files, ctx, make, "downloadable")));
  });
  return router;
}

/** A row that the forms make. */
interface Row {
  description: string;
  originalName: string;
}

/** Reads an upload form. Its files are streamed into the storage, and nothing of them stays if the form is refused. */
async function receiveRows<R extends Row>(
  files: PrivateFiles,
  ctx: Context,
  make: () => R,
  property: PrivateFileProperty<R>,
): Promise<R[]> {
  const rows: R[] = [];
  const into = ({ name, filename = "" }: { name: string; filename?: string }) => {
    if (name !== "file") return undefined;
    if (filename.length > 255) throw new Refusal(400, "Give the file a shorter name.", { field: "file" });
    rows.push(make());
    return [rows.at(-1)!, property] as const;
  };
  const { description = "" } = await files
    .receive(ctx, into, { files: MAX_FILES, onFields: checkDescription })
    .catch((error) => {
      throw refusalOf(error, MAX_FILES);
    });
  if (rows.length === 0) throw new Refusal(400, "Choose a file first.", { field: "file", typed: description });
  for (const row of rows) row.description = oneLine(description) || oneLine(row.originalName).slice(0, 200);
  return rows;
}

function checkDescription({ description = "" }: Form): void {
  if (oneLine(description).length <= 200) return;
  throw new Refusal(400, "Describe the file in at most 200 characters.", { field: "description", typed: description });
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}

/** Shows the form again, with the problem at its field and what was typed; the page's script is told the same. */
function showProblems(home: HomePage, form: string): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof Refusal) || wantsJson(ctx)) throw error;
      ctx.status = error.status;
      ctx.body = await home(ctx, { form, message: error.message, ...error.details });
    }
  };
}

function confirm(ctx: Context, rows: readonly Row[]): void {
  const message = `Uploaded ${rows.length === 1 ? rows[0]?.originalName : `${rows.length} files`}.`;
  if (wantsJson(ctx)) {
    ctx.status = 201;
    ctx.body = { message };
    return;
  }
  ctx.session.notice = message;
  seeOther(ctx, "/");
}
