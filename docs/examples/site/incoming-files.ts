import { rm } from "node:fs/promises";
import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import type { FormidableFile } from "typeorm-private-files";
import { Refusal } from "./errors.js";
import { field } from "./form.js";

const MAX_BYTES = 5 * 1024 ** 3;
const MAX_FILES = 20;
const TOO_MUCH = `At most ${MAX_FILES} files and 5 GiB can be uploaded at once.`;

/** Parses an upload form, whose files wait in `folder`. However large they are, little of them is in memory at any time. */
export function parseUpload(folder: string): Middleware {
  return koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    formidable: {
      uploadDir: folder,
      maxFileSize: MAX_BYTES,
      maxFields: 10,
      maxFieldsSize: 64 * 1024,
      allowEmptyFiles: true,
      minFileSize: 0,
    },
    onError: (error) => {
      const tooMuch = (error as { httpCode?: number }).httpCode === 413;
      throw tooMuch ? new Refusal(413, TOO_MUCH) : new Refusal(400, "The upload did not arrive whole.");
    },
  });
}

/** Removes the files of a form that was refused. Those that it was not refused for, `attach` has removed by then. */
export const forgetRefusedFiles: Middleware = async (ctx, next) => {
  try {
    await next();
  } finally {
    await Promise.all(filesOf(ctx).map((file) => rm(file.filepath, { force: true })));
  }
};

/** A file of a parsed form. */
export interface IncomingFile {
  file: FormidableFile;
  /** The name that the browser sent. */
  name: string;
  /** What was written about it, else its name. */
  description: string;
}

/** The files of a parsed form. */
export function uploadsOf(ctx: Context): IncomingFile[] {
  const chosen = filesOf(ctx).map((file) => ({ file, name: file.originalFilename ?? "" }));
  const uploads = chosen.filter(({ name }) => name !== ""); // a browser sends a nameless file where none was chosen
  if (uploads.length === 0) throw new Refusal(400, "Choose a file first.");
  // formidable's own maxFiles would leave the file that is one too many open.
  if (uploads.length > MAX_FILES) throw new Refusal(413, TOO_MUCH);
  if (!uploads.every(({ name }) => /^\P{Cc}{1,255}$/u.test(name)))
    throw new Refusal(400, "Give the file a shorter, plain name.");
  const description = oneLine(field(ctx, "description") ?? "");
  if (description.length > 200) throw new Refusal(400, "Describe the file in at most 200 characters.");
  return uploads.map(({ file, name }) => ({ file, name, description: description || oneLine(name).slice(0, 200) }));
}

function filesOf(ctx: Context) {
  return [ctx.request.files?.file ?? []].flat();
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}
