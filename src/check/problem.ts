/**
 * Stable identifiers of what `check` finds.
 *
 * - `STORAGE_FAILS`: no file can be written, read back and removed where a column's uploads go.
 * - `STORAGE_SERVED`: a storage's folder and one that a web server serves lie inside of each other.
 * - `STORAGE_PERHAPS_SERVED`: a storage's folder lies inside of one that looks as if a web server served it.
 * - `STORAGES_NESTED`: a storage's folder lies inside of another's.
 * - `TABLE_MISSING`: the database has no table for an entity.
 * - `COLUMN_MISSING`: the table has no such column.
 * - `COLUMN_SHORT`: the column is shorter than keys may be; an error where hardly any name fits.
 * - `COLUMN_SHORTER_THAN_DECLARED`: the column of the database is shorter than the entity says, and keys are.
 * - `COLUMN_WITHOUT_INDEX`: each removal and each sweep reads the whole table.
 * - `COMMIT_NOT_SYNCED`: the database may lose commits in a power cut, and rows then name files again that were removed.
 */
export type ProblemCode =
  | "STORAGE_FAILS"
  | "STORAGE_SERVED"
  | "STORAGE_PERHAPS_SERVED"
  | "STORAGES_NESTED"
  | "TABLE_MISSING"
  | "COLUMN_MISSING"
  | "COLUMN_SHORT"
  | "COLUMN_SHORTER_THAN_DECLARED"
  | "COLUMN_WITHOUT_INDEX"
  | "COMMIT_NOT_SYNCED";

/** Something that `check` found. */
export interface Problem {
  /** Tells one problem from another; stable within a major version. */
  code: ProblemCode;
  /** Whether files are at risk or can't be kept at all (`error`), or may be (`warning`). */
  severity: "error" | "warning";
  /** What it is about: a column, e.g. `Invoice.scan`, a folder, or the type of the database. */
  subject: string;
  /** What is wrong, and what to do. */
  message: string;
}

/** What `check` is told. */
export interface CheckOptions {
  /**
   * The folders that a web server or koa-static serves. (default: unknown; then a storage below a folder that looks like one,
   * such as `public`, is warned of)
   */
  staticFolders?: string[];
}
