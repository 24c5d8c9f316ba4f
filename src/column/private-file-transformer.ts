import type { ValueTransformer } from "typeorm";
import { described } from "../described.js";
import { PrivateFileError } from "../errors.js";
import type { PrivateFileColumnOptions } from "./column-options.js";
import { makeFile, recordOf } from "./private-file.js";

/** Marks the columns of every copy of this package in the process. */
const COPY = Symbol.for("typeorm-private-files:transformer");

/**
 * Turns the key in a row into a {@link PrivateFile} and back.
 *
 * TypeORM calls it for the values in `where` objects, too, and does not tell the two apart. So `where` takes a `PrivateFile` as
 * well; ask for a key with a query builder.
 */
export class PrivateFileTransformer implements ValueTransformer {
  readonly [COPY] = true;

  constructor(
    /** Names the column in messages, e.g. `FileSubmission.uploadedFile`. */
    private readonly subject: string,
    /** What a column of an `EntitySchema` was declared with: it has no class to keep that. */
    readonly schemaOptions?: PrivateFileColumnOptions,
    /** Whether a `PrivateFiles` follows the rows of the data source. */
    private readonly isFollowed = false,
  ) {}

  /**
   * The same for the column of a data source whose rows a `PrivateFiles` follows.
   *
   * @param subject names the column where an `EntitySchema` declares it, which did not know that.
   */
  followed(subject: string): PrivateFileTransformer {
    return new PrivateFileTransformer(this.schemaOptions ? subject : this.subject, this.schemaOptions, true);
  }

  /** Whether a transformer belongs to a column that another copy of the package declared. */
  static isOfAnotherCopy(transformer: unknown): boolean {
    const isMarked = typeof transformer === "object" && transformer !== null && COPY in transformer;
    return isMarked && !(transformer instanceof PrivateFileTransformer);
  }

  /**
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_VALUE` for anything but a {@link PrivateFile} or nothing, with
   * `ERR_PRIVATE_FILE_DISCARDED` for an upload that was deleted since, and with `ERR_PRIVATE_FILE_OTHER_ROW` for an upload in a data source
   * without a `PrivateFiles`, whose statements nothing else looks at.
   */
  to(value: unknown): unknown {
    if (value === undefined || value === null) return value;
    const record = recordOf(value);
    if (!record) throw this.refusal(value);
    if (record.state === "attached" && !this.isFollowed) throw this.notFollowed();
    if (record.state !== "discarded") return record.key;
    throw new PrivateFileError(
      "ERR_PRIVATE_FILE_DISCARDED",
      `${this.subject}: the upload was deleted because it was not saved in time, or was replaced. Attach it again before you save.`,
    );
  }

  /** Django's FileField keeps an empty text where there is no file. */
  from(value: unknown): unknown {
    if (value === "") return null;
    return typeof value === "string" ? makeFile({ key: value, state: "stored" }) : value;
  }

  private notFollowed(): PrivateFileError {
    return new PrivateFileError(
      "ERR_PRIVATE_FILE_OTHER_ROW",
      `${this.subject}: no PrivateFiles was made for the data source that saves the upload. Make one for each data source, and attach the file with it.`,
    );
  }

  private refusal(value: unknown): PrivateFileError {
    return new PrivateFileError(
      "ERR_PRIVATE_FILE_VALUE",
      `${this.subject}: expected a PrivateFile, got ${isCopy(value) ? "a copy of one" : described(value)}. ${adviceFor(value)}`,
    );
  }
}

function adviceFor(value: unknown): string {
  if (typeof value === "string") {
    return 'Use "files.attach(entity, property, upload)" to put a file there; to find rows by a key, use a query builder.';
  }
  if (isCopy(value))
    return "Save the entity that was loaded, or a copy that shares the file with it, such as { ...entity }.";
  if (typeof value === "object" && value !== null && "name" in value) {
    return "If a client sent back what it was shown, leave the property out: const { file, ...changes } = body.";
  }
  return 'Use "files.attach(entity, property, upload)" to put a file there.';
}

/** What cloneDeep and the like make of a file. */
function isCopy(value: unknown): boolean {
  return typeof value === "object" && value !== null && "toJSON" in value && "key" in value;
}
