import { PrivateFileError, type PrivateFileErrorOptions } from "../errors.js";

/** The status of the answer to each kind of failure. The others are not the client's fault, or leave nobody to answer. */
const STATUSES = {
  missing: 400,
  invalid: 400,
  length: 400,
  stalled: 408,
  "too-large": 413,
  type: 415,
  checksum: 422,
  failed: undefined,
  aborted: undefined,
  unusable: undefined,
} as const;

/**
 * Why an upload was not kept:
 *
 * - `missing`: the request has no file there (400).
 * - `invalid`: something else than a file is there: a text, several files, a name that is no text; or the form is malformed (400).
 * - `length`: it has more or fewer bytes than were announced (400).
 * - `stalled`: nothing came of it for `stallTimeout`, or its form took longer than `timeout` (408).
 * - `too-large`: it has more bytes than `maxSize`, or its form is beyond another limit (413).
 * - `type`: its bytes, or its extension, are of a type that `accept` does not name (415).
 * - `checksum`: its digest is not the expected one (422).
 * - `failed`: its source failed before the end; most often the client left.
 * - `aborted`: `signal` was aborted.
 * - `unusable`: the application gave a source that can't be read, such as a stream that was read before.
 */
export type UploadFailure = keyof typeof STATUSES;

/** What is known of an upload that was not kept, for the form that is shown again. */
export interface UploadErrorDetails {
  /** The most bytes that are taken. */
  maxSize?: number;
  /** The types and extensions that are taken. */
  accept?: readonly string[];
  /** The name of the form's field, where `receive` read the form. */
  part?: string;
  /** The texts of the form that came before the refusal, where `receive` read it, for the form that is shown again. */
  texts?: Readonly<Record<string, string | undefined>>;
  /** The name that the upload came with. */
  filename?: string;
  /** The number of bytes: those that were read, or those that were announced where none was read. */
  size?: number;
  /** The media type by the first bytes, or else by the extension, where it is known. */
  type?: string;
}

/** What an {@link UploadError} is made with. */
export interface UploadErrorOptions extends PrivateFileErrorOptions {
  /** What is known of the upload. (default: nothing) */
  details?: UploadErrorDetails;
}

/**
 * An upload that is refused, or could not be read to its end. Nothing of it was kept. Koa answers with `status`, and shows the client no
 * message.
 */
export class UploadError extends PrivateFileError {
  override name = "UploadError";
  /** The HTTP status of the answer. `undefined` where the client is gone, or is not at fault: Koa answers 500 then. */
  readonly status: 400 | 408 | 413 | 415 | 422 | undefined;
  /** The property of the private file column, e.g. `uploadedFile`. `undefined` where a storage is used without a column. */
  property?: string;
  /** What is known of the upload. */
  details: UploadErrorDetails;

  constructor(
    /** Why the upload was not kept. */
    readonly reason: UploadFailure,
    message: string,
    { details = {}, ...options }: UploadErrorOptions = {},
  ) {
    super("ERR_PRIVATE_FILE_UPLOAD", message, options);
    this.status = STATUSES[reason];
    this.details = details;
  }
}
