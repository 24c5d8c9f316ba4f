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
 */
export function fromPath(path: string): FilePath {
  return new FilePath(path);
}
