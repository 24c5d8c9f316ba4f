import { isNativeError } from "node:util/types";
import { PrivateFileError, StorageError } from "../../errors.js";
import { visible } from "../../quoted.js";

/** What a file system answers where there is nothing, or no regular file: links, sockets, files in place of folders. */
const ABSENT = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EMLINK",
  "EFTYPE",
  "ENAMETOOLONG",
  "ENXIO",
  "ENODEV",
  "EOPNOTSUPP",
]);

/** The system's name of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  // Not `instanceof Error`: Jest gives modules an `Error` of their own, which Node's errors are no instances of.
  return isNativeError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Whether an error of opening or looking means that there is no object, as opposed to a disk that failed. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error) ?? "");
}

/**
 * An error of the disk as the error of a storage. Errors of this package stay what they are.
 *
 * @param doing what was tried, as in "reading".
 */
export function diskError(key: string, doing: string, error: unknown): Error {
  if (error instanceof PrivateFileError) return error;
  const reason = codeOf(error) ?? "an error";
  return new StorageError(
    `${visible(key)}: ${doing} failed with ${reason}. See "cause", and check the storage's disk.`,
    key,
    {
      cause: error,
    },
  );
}
