import type { PrivateColumn } from "../../column/private-column.js";
import type { FileRecord } from "../../column/private-file.js";
import type { FileChange, StoredKey } from "./file-change.js";

/** What an announced statement is to do to the file of a column of one row. */
interface ColumnNote {
  /** What the row has. */
  replaced?: StoredKey;
  /** What it is to get. */
  record?: FileRecord;
  /** Whether a statement was seen to write that. */
  isWritten?: boolean;
}

/** What announced statements are to do to one row. */
export interface RowNote {
  /** The entity that is updated, or the row that is removed. */
  readonly subject: object | string;
  /** The row, as `rowText` names it. */
  readonly row: string;
  /** The columns that are to change. */
  readonly columns: Map<PrivateColumn, ColumnNote>;
}

/** What entity events have announced on one connection, until it is done. */
export class RowNotes {
  /** By the entity that is updated, or by the row that is removed. */
  readonly #notes = new Map<object | string, RowNote>();
  readonly #byUpload = new Map<FileRecord, Set<RowNote>>();

  /** Begins a note. */
  add(subject: object | string, row: string): RowNote {
    const note = { subject, row, columns: new Map() };
    this.#notes.set(subject, note);
    return note;
  }

  /** Notes what is to be done to a column. */
  describe(note: RowNote, column: PrivateColumn, noted: ColumnNote): void {
    note.columns.set(column, noted);
    if (!noted.record) return;
    const notes = this.#byUpload.get(noted.record) ?? new Set();
    this.#byUpload.set(noted.record, notes.add(note));
  }

  /** Takes out the note of what is done. */
  take(subject: object | string): RowNote | undefined {
    const note = this.#notes.get(subject);
    this.#notes.delete(subject);
    for (const { record } of note?.columns.values() ?? []) {
      const notes = record && this.#byUpload.get(record);
      notes?.delete(note!);
      if (notes?.size === 0) this.#byUpload.delete(record!);
    }
    return note;
  }

  /** The rows that are to get an upload. */
  rowsOf(upload: FileRecord): string[] {
    return [...(this.#byUpload.get(upload) ?? [])].map(({ row }) => row);
  }

  /** Notes that a statement has written an upload. Returns what is known of its row. */
  wrote(upload: FileRecord): FileChange {
    for (const { row, columns } of this.#byUpload.get(upload) ?? []) {
      for (const noted of columns.values()) {
        if (noted.record !== upload || noted.isWritten) continue;
        noted.isWritten = true;
        return { upload, row, replaced: noted.replaced };
      }
    }
    return { upload };
  }

  /** Forgets what was to be done with an upload, since its statement did nothing. */
  forget(upload: FileRecord): void {
    for (const { subject } of [...(this.#byUpload.get(upload) ?? [])]) this.take(subject);
  }

  /** What removals are to take out of their rows. */
  get removals(): FileChange[] {
    return [...this.#notes.values()].flatMap((note) => (typeof note.subject === "string" ? removed(note) : []));
  }

  /** Forgets all removals, since one has failed. */
  forgetRemovals(): void {
    for (const subject of this.#notes.keys()) if (typeof subject === "string") this.#notes.delete(subject);
  }

  /** Forgets everything: the transaction is over, and with it what was not done. */
  clear(): void {
    this.#notes.clear();
    this.#byUpload.clear();
  }
}

/** What a removal takes out of its row. */
export function removed({ row, columns }: RowNote): FileChange[] {
  return [...columns.values()].map(({ replaced }) => ({ replaced, row }));
}
