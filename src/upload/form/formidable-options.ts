import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { ConfigurationError } from "../../errors.js";
import { existingFolder } from "./existing-folder.js";
import { openTemporaryFile } from "./temporary-files.js";

/** formidable has no limit of its own, and opens all files of a small form at once: thousands would leave the process no descriptors. */
const MOST_FILES = 100;

/**
 * Options for formidable, alone or inside koa-body, whose files `attach` takes. Each is streamed to a temporary file that only this user
 * can read. `attach` deletes the file; otherwise it is deleted when the request is over, also if formidable fails.
 *
 * @param options any other options of formidable. `uploadDir` is the folder of the temporary files, and `maxFiles` is 100 by default.
 * @throws ConfigurationError for `filename` and `fileWriteStreamHandler`, and for an `uploadDir` that is not there.
 *
 * @example
 * router.post("/submissions", koaBody({ multipart: true, formidable: formidableOptions({ maxFileSize: 5e9 }) }), …);
 */
export function formidableOptions<Options extends object>(
  options?: Options & { filename?: never; fileWriteStreamHandler?: never },
): Options {
  check(options ?? {});
  /** The requests of files that have a name, and are opened next. */
  const requests = new Map<string, IncomingMessage>();
  return {
    ...(options as Options),
    maxFiles: (options as { maxFiles?: number } | undefined)?.maxFiles ?? MOST_FILES,
    filename(_name: string, _extension: string, _part: unknown, form: { req?: IncomingMessage | null }) {
      const name = `upload-${randomBytes(16).toString("hex")}`;
      if (form.req) requests.set(name, form.req);
      return name;
    },
    fileWriteStreamHandler({ newFilename, filepath }: { newFilename: string; filepath: string }) {
      const request = requests.get(newFilename);
      requests.delete(newFilename);
      return request ? openTemporaryFile(request, filepath) : nowhere();
    },
  };
}

function check(options: object): void {
  for (const name of ["filename", "fileWriteStreamHandler"]) {
    if (!(name in options)) continue;
    throw new ConfigurationError(`formidableOptions: unknown option "${name}". It is set by formidableOptions itself.`);
  }
  const { uploadDir } = options as { uploadDir?: unknown };
  const problem = uploadDir === undefined ? undefined : existingFolder(uploadDir, "uploadDir");
  if (problem !== undefined) throw new ConfigurationError(`formidableOptions: ${problem}`);
}

/** formidable goes on with the parts that it has read when a form has failed, and forgets the request by then. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
