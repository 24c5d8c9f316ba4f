import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import { type FormidableFile, formidableOptions } from "typeorm-private-files";
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
    formidable: formidableOptions({
      uploadDir: folder,
      maxFileSize: MAX_BYTES,
      maxFiles: MAX_FILES,
      maxFields: 10,
      maxFieldsSize: 64 * 1024,
      allowEmptyFiles: true,
      minFileSize: 0,
    }),
    onError: (error, ctx) => {
      // Browsers read no answer before they have sent everything.
      ctx.req.resume();
      const tooMuch = (error as { httpCode?: number }).httpCode === 413;
      throw tooMuch ? new Refusal(413, TOO_MUCH) : new Refusal(400, "The upload did not arrive whole.");
    },
  });
}

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
  const chosen = [ctx.request.files?.file ?? []].flat().map((file) => ({ file, name: file.originalFilename ?? "" }));
  const uploads = chosen.filter(({ name }) => name !== ""); // a browser sends a nameless file where none was chosen
  if (uploads.length === 0) throw new Refusal(400, "Choose a file first.");
  if (!uploads.every(({ name }) => /^\P{Cc}{1,255}$/u.test(name)))
    throw new Refusal(400, "Give the file a shorter, plain name.");
  const description = oneLine(field(ctx, "description") ?? "");
  if (description.length > 200) throw new Refusal(400, "Describe the file in at most 200 characters.");
  return uploads.map(({ file, name }) => ({ file, name, description: description || oneLine(name).slice(0, 200) }));
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}
