import { shown } from "../../quoted.js";
import { UploadError } from "../../storage/upload-error.js";

/** The path of a file to attach. Only {@link fromPath} makes one. */
export class FilePath {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The path of a regular file that this process can read. */
  get path(): string {
    return this.#path;
  }
}

/**
 * Marks a path as one that `attach` may read: the file is copied into the storage and stays where it is.
 * Never mark a path that a request named.
 *
 * @param path the path of a regular file, absolute or relative to the working directory.
 * @throws UploadError for anything but a text that is not empty.
 */
export function fromPath(path: string): FilePath {
  if (typeof path === "string" && path !== "") return new FilePath(path);
  throw new UploadError(
    "unusable",
    `fromPath: the path must be a string that is not empty, got ${shown(path)}. Give the path of a file.`,
  );
}
