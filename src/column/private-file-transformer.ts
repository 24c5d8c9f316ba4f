import type { ValueTransformer } from "typeorm";
import { PrivateFileError } from "../errors.js";
import type { PrivateFileColumnOptions } from "./column-options.js";
import { originOf, PrivateFile, withOrigin } from "./private-file.js";

/**
 * Turns the key in a row into a {@link PrivateFile} and back.
 *
 * TypeORM asks it for the values in `where` objects, too, and can't say which of both it wants. So `where` takes a
 * `PrivateFile` as well; ask for a key with a query builder.
 */
export class PrivateFileTransformer implements ValueTransformer {
  constructor(
    /** Names the column in messages, e.g. `FileSubmission.uploadedFile`. */
    private readonly subject: string,
    /** What a column of an `EntitySchema` was declared with: it has no class to keep that. */
    readonly schemaOptions?: PrivateFileColumnOptions,
  ) {}

  /**
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_VALUE` for anything but a {@link PrivateFile} or nothing, and with
   * `ERR_PRIVATE_FILE_DISCARDED` for an upload that was removed when its transaction was rolled back.
   */
  to(value: unknown): unknown {
    if (value === undefined || value === null) return value;
    if (value instanceof PrivateFile) return this.keyOf(value);
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_VALUE",
      `${this.subject}: ${article(typeof value)} was assigned that is no PrivateFile. Use "files.attach(entity, property, upload)" to put a file there.`,
    );
  }

  /** Django's FileField keeps an empty text where there is no file. */
  from(value: unknown): unknown {
    if (value === "") return null;
    return typeof value === "string" ? withOrigin(new PrivateFile(value), "stored") : value;
  }

  private keyOf(file: PrivateFile): string {
    if (originOf(file) !== "discarded") return file.key;
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_DISCARDED",
      `${this.subject}: the upload was removed when its row was not saved. Attach the upload again before you save.`,
    );
  }
}

function article(type: string): string {
  return type === "object" ? "an object" : `a ${type}`;
}
