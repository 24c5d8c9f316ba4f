import { visible } from "./quoted.js";
/**
 * Stable identifiers of what went wrong. A message may change in any release, a code only in a major one.
 *
 * - `ERR_PRIVATE_FILE_CONFIGURATION`: a declaration, an option or an argument is wrong; thrown at start-up, or by the call that has it.
 * - `ERR_PRIVATE_FILE_KEY`: a key could escape or break a storage, or does not fit its database column.
 * - `ERR_PRIVATE_FILE_KEY_TAKEN`: a storage already has an object of that key; it was not overwritten.
 * - `ERR_PRIVATE_FILE_STORAGE`: the storage failed; `cause` has its error.
 * - `ERR_PRIVATE_FILE_MISSING`: a row names a key, or `adopt` was given one, that the storage does not have.
 * - `ERR_PRIVATE_FILE_UPLOAD`: an upload is refused, or can't be read to its end; `reason` says why.
 * - `ERR_PRIVATE_FILE_VALUE`: something that `attach` did not make was assigned to a private file column.
 * - `ERR_PRIVATE_FILE_OTHER_ROW`: a file was to be saved in a row that does not have it: each file belongs to one row.
 * - `ERR_PRIVATE_FILE_PENDING`: an entity was saved while `attach`, `copy` or `adopt` was still at work on it.
 * - `ERR_PRIVATE_FILE_DISCARDED`: an upload was to be saved that was deleted before, since no row got it in time.
 * - `ERR_PRIVATE_FILE_CRITERIA`: criteria of `remove` have a part that is empty or unknown, so that they could match more rows than intended.
 * - `ERR_PRIVATE_FILE_NOT_REMOVED`: rows were to be removed that can't be, or that are still there.
 * - `ERR_PRIVATE_FILE_NOT_FOUND`: a request named no file that it may see (404).
 * - `ERR_PRIVATE_FILE_ACCESS_DENIED`: the column's `condition` did not let a request through (403).
 * - `ERR_PRIVATE_FILE_METHOD`: a request used a method other than GET and HEAD (405).
 * - `ERR_PRIVATE_FILE_UNAVAILABLE`: a rule, a hook or the storage could not answer just now (503).
 * - `ERR_PRIVATE_FILE_FAILED`: a rule, a hook or the storage threw while a request was answered (500).
 */
export type PrivateFileErrorCode =
  | "ERR_PRIVATE_FILE_CONFIGURATION"
  | "ERR_PRIVATE_FILE_KEY"
  | "ERR_PRIVATE_FILE_KEY_TAKEN"
  | "ERR_PRIVATE_FILE_STORAGE"
  | "ERR_PRIVATE_FILE_MISSING"
  | "ERR_PRIVATE_FILE_UPLOAD"
  | "ERR_PRIVATE_FILE_VALUE"
  | "ERR_PRIVATE_FILE_OTHER_ROW"
  | "ERR_PRIVATE_FILE_PENDING"
  | "ERR_PRIVATE_FILE_DISCARDED"
  | "ERR_PRIVATE_FILE_CRITERIA"
  | "ERR_PRIVATE_FILE_NOT_REMOVED"
  | "ERR_PRIVATE_FILE_NOT_FOUND"
  | "ERR_PRIVATE_FILE_ACCESS_DENIED"
  | "ERR_PRIVATE_FILE_METHOD"
  | "ERR_PRIVATE_FILE_UNAVAILABLE"
  | "ERR_PRIVATE_FILE_FAILED";

/** Options of every error of this package. */
export interface PrivateFileErrorOptions {
  /** The error or value that led to this error. (default: none) */
  cause?: unknown;
}

/** What every error of this package is: an `Error` with a stable {@link PrivateFileErrorCode} and, where there is one, a `cause`. */
export class PrivateFileError extends Error {
  override name = "PrivateFileError";
  /** The error or value that led to this error. Declared here because TypeScript's `lib` has `Error.cause` only from ES2022 on. */
  declare readonly cause?: unknown;

  constructor(
    /** Tells one failure from another; stable within a major version. */
    readonly code: PrivateFileErrorCode,
    message: string,
    options?: PrivateFileErrorOptions,
  ) {
    super(message, options);
  }
}

/** A declaration, an option or an argument that can't work. Thrown at start-up, or by the call that has it. */
export class ConfigurationError extends PrivateFileError {
  override name = "ConfigurationError";

  constructor(message: string, options?: PrivateFileErrorOptions) {
    super("ERR_PRIVATE_FILE_CONFIGURATION", message, options);
  }
}

/** A key that no storage may be asked for: it could leave the storage, or its column is too short for it. */
export class InvalidKeyError extends PrivateFileError {
  override name = "InvalidKeyError";

  constructor(
    message: string,
    /** The key as it was given. */
    readonly key: unknown,
    options?: PrivateFileErrorOptions,
  ) {
    super("ERR_PRIVATE_FILE_KEY", message, options);
  }
}

/** A storage has an object of that key already. What it has was left as it is. */
export class KeyTakenError extends PrivateFileError {
  override name = "KeyTakenError";

  constructor(
    /** The key that was to be written. */
    readonly key: string,
    options?: PrivateFileErrorOptions,
  ) {
    super(
      "ERR_PRIVATE_FILE_KEY_TAKEN",
      `${visible(key)}: the storage already has this key. Choose another key.`,
      options,
    );
  }
}

/** A storage failed: no space, no permission, no connection. `cause` is what it threw. */
export class StorageError extends PrivateFileError {
  override name = "StorageError";

  constructor(
    message: string,
    /** The key that the storage was asked for. */
    readonly key: string,
    options?: PrivateFileErrorOptions,
  ) {
    super("ERR_PRIVATE_FILE_STORAGE", message, options);
  }
}

/** What Koa reads off an error to answer a request, and what a {@link DownloadError} is made with. */
export interface DownloadErrorOptions extends PrivateFileErrorOptions {
  /** Response headers of the answer. Koa drops all others. */
  headers?: Record<string, string>;
  /** Whether the client is shown the message. It says no more than the status' own phrase then. (default: false) */
  expose?: boolean;
}

/**
 * A download that is refused or failed. Koa turns it into the answer: `status`, `headers`, and the message only where
 * `expose` says so. An application's own error middleware sees it first.
 */
export class DownloadError extends PrivateFileError {
  override name = "DownloadError";
  /** Whether the message may be shown to the client. */
  readonly expose: boolean;
  /** The headers of the answer. */
  readonly headers: Record<string, string>;

  constructor(
    /** The HTTP status of the answer. */
    readonly status: 403 | 404 | 405 | 500 | 503 | number,
    code: PrivateFileErrorCode,
    message: string,
    options: DownloadErrorOptions = {},
  ) {
    super(code, message, options);
    this.expose = options.expose ?? false;
    this.headers = options.headers ?? {};
  }
}
