import { randomBytes } from "node:crypto";
import { unlink } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkOptions, type OptionRules } from "../../options.js";
import { existingFolder } from "./existing-folder.js";
import { openTemporaryFile, removeTemporaryFile, takeTemporaryFile } from "./temporary-files.js";

/** Marks a file that {@link multerStorage} wrote. A symbol, so that no parsed request has it. */
export const TEMPORARY_FILE: unique symbol = Symbol("typeorm-private-files:temporary-file");

/** A file that multer parsed with {@link multerStorage}: give it to `attach`. */
export interface TemporaryUpload {
  /** The name that the client gave. */
  originalname: string;
  /** Where the bytes wait for `attach`, which deletes them. */
  [TEMPORARY_FILE]: { path: string };
}

/** What multer asks of a storage engine. */
export interface MulterStorageEngine {
  /** Takes in one file of a form, and calls back with what is known of it. Typings of multer differ in what that is. */
  _handleFile(request: unknown, file: object, done: (error?: unknown, info?: never) => void): void;
  /** Drops a file that the form was refused with. */
  _removeFile(request: unknown, file: object, done: (error: never) => void): void;
}

/** Where {@link multerStorage} keeps files until they are attached. */
export interface MulterStorageOptions {
  /** A folder that only this application reads. (default: the system's folder for temporary files) */
  directory?: string;
}

/**
 * A storage engine for multer whose files `attach` takes. Each is streamed to a temporary file that only this user can read. `attach`
 * deletes the file; otherwise it is deleted when the request is over. Give multer `defParamCharset: "utf8"` as well, or names come out
 * garbled, and limits, or the fields of one form may fill the memory, or keep the process busy for minutes.
 *
 * @throws ConfigurationError for an unknown option, and for a `directory` that is not there.
 *
 * @example
 * const limits = { fileSize: 5e9, files: 1, fields: 20, fieldNestingDepth: 3, fieldArrayIndexLimit: 20 };
 * const upload = multer({ storage: multerStorage(), defParamCharset: "utf8", limits });
 * router.post("/submissions", upload.single("file"), async (ctx) => { await files.attach(submission, "uploadedFile", ctx.file) });
 */
export function multerStorage(options: MulterStorageOptions = {}): MulterStorageEngine {
  checkOptions("multerStorage", options, RULES);
  const directory = options.directory ?? tmpdir();
  return {
    _handleFile(request, file, done) {
      const path = join(directory, `upload-${randomBytes(16).toString("hex")}`);
      receive(request as IncomingMessage, (file as { stream: Readable }).stream, path).then(
        (size) => done(null, { size, [TEMPORARY_FILE]: { path } } as never),
        done,
      );
    },
    _removeFile(_request, file, done) {
      const path = (file as Partial<TemporaryUpload>)[TEMPORARY_FILE]?.path;
      if (path !== undefined) takeTemporaryFile(path);
      (path === undefined ? Promise.resolve() : unlink(path)).then(
        () => done(null as never),
        done as (error: unknown) => void,
      );
    },
  };
}

const RULES: OptionRules<MulterStorageOptions> = { directory: existingFolder };

async function receive(request: IncomingMessage, stream: Readable, path: string): Promise<number> {
  const file = openTemporaryFile(request, path);
  try {
    await pipeline(stream, file);
    return file.bytesWritten;
  } catch (error) {
    await removeTemporaryFile(path);
    throw error;
  }
}
