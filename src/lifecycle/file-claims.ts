import type { ObjectLiteral } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileRecord } from "../column/private-file.js";
import type { RowKeyReader } from "../database/row-keys.js";
import { isSaving, otherDataSource, otherRow, otherTarget } from "./file-errors.js";
import type { Statement } from "./ledger/file-change.js";
import type { Ledger } from "./ledger/ledger.js";
import { type PrivateTables, writtenKeys } from "./private-tables.js";
import { rowText, rowTextOf } from "./row-text.js";
import { uploadOf } from "./uploads.js";

/**
 * Decides which files may be written into private columns.
 *
 * Entity events refuse early, with a message that names the column. The statement itself decides, as it is sent: listeners and
 * later subscribers change values after every other event.
 */
export class FileClaims {
  constructor(
    private readonly tables: PrivateTables,
    private readonly reader: RowKeyReader,
  ) {}

  /**
   * Looks at the values of an INSERT or an upsert.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  inserting(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[]): void {
    for (const column of columns) {
      const record = column.recordOf(entity);
      if (!record || isNewUpload(ledger, column, record)) continue;
      const isSameRow = record.row !== undefined && record.row === rowTextOf(column, entity);
      if (record.state !== "unknown" || !isSameRow) throw otherRow(column);
      record.state = "attached";
      ledger.announce(record);
    }
  }

  /**
   * Looks at the values of an UPDATE whose row is known by its values alone, if at all.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  updatingSome(ledger: Ledger, values: ObjectLiteral, columns: PrivateColumn[]): Promise<void> | undefined {
    const known = columns.filter((column) => this.isOfARow(ledger, column, values));
    if (known.length === 0) return undefined;
    const { entity } = known[0]!;
    const id = entity.getEntityIdMap(values);
    if (!id) throw otherRow(known[0]!);
    // A statement that sets the primary key, too, can write the file into no other row: the database refuses the key twice.
    const { driver } = dataSourceOf(ledger.runner);
    const set = entity.primaryColumns.map((column) => driver.preparePersistentValue(column.getEntityValue(id), column));
    return this.reader.read(ledger.runner, known, id, true).then((keys) => {
      for (const [index, column] of known.entries()) this.permit(ledger, column, values, keys?.[index], id, set);
    });
  }

  /** Whether a value may be written only where its row has it already. */
  isOfARow(ledger: Ledger, column: PrivateColumn, entity: ObjectLiteral): boolean {
    const record = column.recordOf(entity);
    if (!record || (record.state === "written" && record.writer === ledger)) return false;
    return !isNewUpload(ledger, column, record);
  }

  /**
   * Lets the next UPDATE write a value into the row of a primary key, if the row has that key already.
   *
   * @param key what the row has.
   * @param set other values that the UPDATE has to write as well.
   * @throws PrivateFileError when the value belongs to another row.
   */
  permit(
    ledger: Ledger,
    column: PrivateColumn,
    entity: ObjectLiteral,
    key: string | null | undefined,
    id: ObjectLiteral,
    set: unknown[] = [],
  ): void {
    const record = column.recordOf(entity)!;
    if (key === record.key) {
      if (record.state === "unknown") record.state = "stored";
      ledger.permits.give(key, set);
    } else if (record.state === "unknown" && record.row === rowText(column, id)) {
      record.state = "attached";
      ledger.announce(record);
    } else throw otherRow(column);
  }

  /**
   * Claims the uploads that a statement is about to write. All are checked before any is claimed.
   *
   * @throws PrivateFileError for a key that this statement may not write; the statement is not sent then.
   */
  sending(ledger: Ledger, statement: Statement): void {
    const keys = writtenKeys(statement);
    if (keys.length === 0) return;
    if (!this.tables.mayBeWrittenBy(statement.sql)) {
      for (const key of keys) mention(uploadOf(key));
      return;
    }
    const seen = new Set<string>();
    const uploads = keys.flatMap((key) => {
      const upload = uploadOf(key);
      const isOfItsRow = ledger.permits.take(key, statement) || isWrittenAgain(ledger, upload);
      if (statement.verb === "UPDATE" && isOfItsRow) return [];
      if (upload?.state === "written") throw isSaving(upload.writer === ledger);
      if (upload?.state !== "attached") throw otherRow();
      if (seen.has(key)) throw isSaving(true);
      if (upload.target?.dataSource !== dataSourceOf(ledger.runner)) throw otherDataSource();
      seen.add(key);
      return [upload];
    });
    for (const upload of uploads) Object.assign(upload, { state: "written", writer: ledger });
  }
}

/** Whether a value is an upload that no row has, or an object that was adopted. */
function isNewUpload(ledger: Ledger, column: PrivateColumn, record: FileRecord): boolean {
  // The transformer refuses it, with an error of its own.
  if (record.state === "discarded") return true;
  if (record.state === "written") throw isSaving(record.writer === ledger, column);
  if (record.state !== "attached") return false;
  if (record.target?.dataSource !== dataSourceOf(column.entity)) throw otherDataSource(column);
  if (record.target.place !== column.place) throw otherTarget(column);
  // A hook may hold the save up for longer than the upload had left.
  record.expiresAt = undefined;
  // Outside a transaction nothing tells that the statement will not come.
  if (!record.isAdopted && ledger.isOpen) ledger.announce(record);
  return true;
}

/** `save([a, a])` sends two updates of one row, which are both prepared before either is sent. */
function isWrittenAgain(ledger: Ledger, upload: FileRecord | undefined): boolean {
  if (upload?.writer !== ledger) return false;
  const change = ledger.find(upload);
  const rows = new Set([...(change ? [change.row] : []), ...ledger.notes.rowsOf(upload)]);
  return rows.size === 1 && !rows.has(undefined);
}

/** Another table names the upload, or raw SQL writes it through a view or a join. Then only a sweep may delete it. */
function mention(upload: FileRecord | undefined): void {
  if (upload?.state === "attached") upload.isMentioned = true;
}
