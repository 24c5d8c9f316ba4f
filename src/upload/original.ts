import { PrivateFileError, StorageError } from "../errors.js";
import { quoted } from "../quoted.js";
import type { Storage } from "../storage/storage.js";

/** The object of an entity's file, to be read or copied. */
export interface Original {
  /** The column that has it, for messages. */
  subject: string;
  /** Where it is. */
  storage: Storage;
  /** Its key. */
  key: string;
  /** The name of its file. */
  name: string;
}

/**
 * Gives the error of a missing object in place of the storage's own, if the storage does not have the object. It is asked after an error
 * alone.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_MISSING`, or the error of `reading`.
 */
export async function unlessMissing<T>(original: Original, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { storage, key } = original;
    if (error instanceof StorageError && !(await storage.stat(key))) throw missing(original, error);
    throw error;
  }
}

/** The storage does not have an object. */
export function missing({ key, subject }: Original, cause?: unknown): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_MISSING",
    `${subject}: the storage has no object ${quoted(key)}. Restore the file, or load the entity again.`,
    { cause },
  );
}
