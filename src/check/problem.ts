import type { ObjectLiteral } from "typeorm";

/**
 * Stable identifiers of what `check` finds.
 *
 * - `STORAGE_FAILS`: no file can be written, read back and removed where a column's uploads go.
 * - `STORAGE_SERVED`: a storage's folder and one that a web server serves lie inside of each other.
 * - `STORAGE_PERHAPS_SERVED`: a storage's folder lies inside of one that looks as if a web server served it.
 * - `STORAGES_NESTED`: a storage's folder lies inside of another's.
 * - `TABLE_MISSING`: the database has no table, or no view, for an entity.
 * - `COLUMN_MISSING`: the table or view has no such column.
 * - `NOT_CHECKED`: the database's user may not look at the column or at its rows, or the database refuses it for another reason.
 * - `COLUMN_SHORT`: the column is shorter than keys may be; an error where hardly any name fits.
 * - `COLUMN_SHORTER_THAN_DECLARED`: the column of the database is shorter than the entity says, and keys are.
 * - `COLUMN_CHARSET`: the column's character set lacks letters that keys have; an error where the database puts "?" in their place.
 * - `COLUMN_WITHOUT_INDEX`: each removal and each sweep reads the whole table.
 * - `INVALID_KEYS`: rows have a value that is not a key, so their files can't be served.
 * - `FOREIGN_OBJECTS`: rows name objects that this package did not write, which are never deleted with their row.
 * - `COMMIT_NOT_SYNCED`: the database may lose commits in a power cut, and rows then name files again that were removed.
 * - `ALTERED_OBJECTS`: rows whose object has other bytes than they say. This one and those below are found with `verify` alone.
 * - `MISSING_OBJECTS`: rows name objects which the storage does not have.
 * - `UNREADABLE_OBJECTS`: rows name objects which the storage can't read.
 * - `UNVERIFIED_OBJECTS`: rows have no digest, so nothing tells which bytes are right.
 */
export type ProblemCode =
  | "STORAGE_FAILS"
  | "STORAGE_SERVED"
  | "STORAGE_PERHAPS_SERVED"
  | "STORAGES_NESTED"
  | "TABLE_MISSING"
  | "COLUMN_MISSING"
  | "NOT_CHECKED"
  | "COLUMN_SHORT"
  | "COLUMN_SHORTER_THAN_DECLARED"
  | "COLUMN_CHARSET"
  | "COLUMN_WITHOUT_INDEX"
  | "INVALID_KEYS"
  | "FOREIGN_OBJECTS"
  | "COMMIT_NOT_SYNCED"
  | "ALTERED_OBJECTS"
  | "MISSING_OBJECTS"
  | "UNREADABLE_OBJECTS"
  | "UNVERIFIED_OBJECTS";

/** Something that `check` found. */
export interface Problem {
  /** Tells one problem from another; stable within a major version. */
  code: ProblemCode;
  /**
   * Whether files are at risk or can't be kept at all (`error`), or may be (`warning`). `info` needs no action, but
   * may surprise you.
   */
  severity: "error" | "warning" | "info";
  /** What it is about: a column, e.g. `Invoice.scan`, a folder, or the type of the database. */
  subject: string;
  /** What is wrong, and what to do. */
  message: string;
  /** How many rows it is about, where it is about rows. */
  count?: number;
  /** The first 100 of these rows. */
  rows?: ProblemRow[];
}

/** A row that `check` found. */
export interface ProblemRow {
  /** The primary key, as properties of the entity. Without properties where the entity has none. */
  id: ObjectLiteral;
  /** The text in the column, as it is there. It may hold anything: encode it before you show it. */
  key: string;
  /** What is wrong with the file of this row, where that is not the same for all: its size or its digest, or why it can't be read. */
  reason?: string;
}

/** What `check` is told. */
export interface CheckOptions {
  /**
   * The folders that a web server or koa-static serves. (default: unknown; then a storage below a folder that looks like one,
   * such as `public`, is warned of)
   */
  staticFolders?: string[];
  /**
   * Whether it also reads every object that a row with a digest names, and tells where the bytes are others than the row says. It needs
   * columns with `fields.sha256`; where only `fields.size` is there, the size alone is compared. Costs as much as downloading all these
   * files, four at a time. (default: `false`)
   */
  verify?: boolean;
  /** Ends the check, which then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called for each file that is verified. It must be quick. */
  onProgress?: (progress: CheckProgress) => void;
}

/** How far a check with `verify` is. */
export interface CheckProgress {
  /** What it does: it verifies files. */
  step: "verify";
  /** How many rows of a column are done. */
  done: number;
  /** About how many there are in the column. */
  expected?: number;
}

/** The problem that something of a column can't be looked at. */
export function notChecked(subject: string, what: string, reason: string): Problem {
  const message = `the database refuses to show ${what}, so it is unknown whether all is well there: ${reason}. If a right is missing, grant it, or run the check as a user that has it.`;
  return { code: "NOT_CHECKED", severity: "warning", subject, message };
}
