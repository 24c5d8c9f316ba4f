import type { FileRecord } from "../../column/private-file.js";
import type { Storage } from "../../storage/storage.js";

/** An object in a storage. */
export interface StoredKey {
  /** Its key. */
  key: string;
  /** Where it is. */
  storage: Storage;
}

/** What one statement did to the file of one row. */
export interface FileChange {
  /** What it wrote. */
  upload?: FileRecord;
  /** What the row had before. */
  replaced?: StoredKey;
  /** The row, as `rowText` names it, where it is known. */
  row?: string;
}

/** What became of changes whose transaction is over, or of a part of them that a savepoint undid. */
export interface Outcome {
  /** Changes that are committed. */
  committed: FileChange[];
  /** Changes that were rolled back. */
  undone: FileChange[];
  /** Changes of a transaction whose COMMIT was not answered. */
  unknown: FileChange[];
  /** Uploads that were to be written in a transaction that is over. Most of them were. */
  announced: Set<FileRecord>;
  /** Whether a transaction had settings of its own, so that afterwards its rows may not be seen as it saw them. */
  hadLocalSettings: boolean;
}

/** A statement, as it is sent and as it is answered. */
export interface Statement {
  /** Its text. */
  sql: string;
  /** Its first word, as `verbOf` gives it. */
  verb: string;
  /** The values of its placeholders. */
  parameters?: unknown;
}

/** A statement that was answered, or whose answer did not come. */
export interface AnsweredStatement extends Statement {
  /** Whether it was carried out. */
  success: boolean;
  /** What the driver answered. */
  raw?: unknown;
  /** What the driver threw. */
  error?: unknown;
}
