import type { ObjectLiteral } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileRecord } from "../column/private-file.js";
import { idText, RowKeyReader } from "../database/row-keys.js";
import { writtenParameters } from "../database/statement.js";
import { changedRows, isAnswer } from "../database/transaction-status.js";
import { isOurs } from "../storage/key.js";
import type { AnsweredStatement, Statement, StoredKey } from "./file-change.js";
import { isSaving, otherDataSource, otherRow, otherTarget, severalRows } from "./file-errors.js";
import type { Ledger } from "./ledger.js";
import { PrivateTables } from "./private-tables.js";
import { removed } from "./row-notes.js";
import { uploadOf } from "./uploads.js";

/**
 * Decides what may be written into private columns, and notes what was written.
 *
 * Entity events refuse early, with a message that names the column. The statement itself decides, as it is sent: listeners and
 * later subscribers change values after every other event.
 */
export class FileChanges {
  readonly #reader = new RowKeyReader();
  readonly #tables: PrivateTables;

  constructor(private readonly storages: ColumnStorages) {
    this.#tables = new PrivateTables(storages.columns.map(({ entity }) => entity));
  }

  /**
   * Looks at the values of an INSERT or an upsert.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  inserting(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[]): void {
    for (const column of columns) {
      const record = column.recordOf(entity);
      if (!record || this.#isNewUpload(ledger, column, record)) continue;
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
    const known = columns.filter((column) => this.#isOfARow(ledger, column, values));
    if (known.length === 0) return undefined;
    const { entity } = known[0]!;
    const id = entity.getEntityIdMap(values);
    if (!id) throw otherRow(known[0]!);
    // A statement that sets the primary key, too, can write the file into no other row: the database refuses the key twice.
    const { driver } = ledger.runner.dataSource;
    const set = entity.primaryColumns.map((column) => driver.preparePersistentValue(column.getEntityValue(id), column));
    return this.#reader.read(ledger.runner, known, id, true).then((keys) => {
      for (const [index, column] of known.entries()) this.#permit(ledger, column, values, keys?.[index], id, set);
    });
  }

  /**
   * Looks at the values that an UPDATE of one row changes, and notes what the row has.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  async updating(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    const known = columns.filter((column) => this.#isOfARow(ledger, column, entity));
    const note = ledger.notes.add(entity, rowText(columns[0]!, id));
    const keys = await this.#reader.read(ledger.runner, columns, id, true);
    for (const [index, column] of columns.entries()) {
      if (known.includes(column)) this.#permit(ledger, column, entity, keys?.[index], id);
      const record = column.recordOf(entity);
      const replaced = keys?.[index] === record?.key ? undefined : this.#stored(column, keys?.[index]);
      ledger.notes.describe(note, column, { replaced, record });
    }
  }

  /** Notes what a row has that is about to be removed. */
  async removing(ledger: Ledger, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    const row = rowText(columns[0]!, id);
    const note = ledger.notes.add(row, row);
    // Removing needs no right to update, which a lock would.
    const keys = await this.#reader.read(ledger.runner, columns, id, false);
    for (const [index, column] of columns.entries()) {
      ledger.notes.describe(note, column, { replaced: this.#stored(column, keys?.[index]) });
    }
  }

  /**
   * Claims the uploads that a statement is about to write. All are checked before any is claimed.
   *
   * @throws PrivateFileError for a key that this statement may not write; the statement is not sent then.
   */
  sending(ledger: Ledger, statement: Statement): void {
    const keys = writtenParameters(statement.sql, statement.parameters, statement.verb).filter(isOurKey);
    if (keys.length === 0) return;
    if (!this.#tables.mayBeWrittenBy(statement.sql)) {
      for (const key of keys) mention(uploadOf(key));
      return;
    }
    const seen = new Set<string>();
    const uploads = keys.flatMap((key) => {
      const upload = uploadOf(key);
      const isOfItsRow = ledger.permits.take(key, statement) || isWrittenAgain(ledger, upload);
      if (statement.verb === "UPDATE" && isOfItsRow) return [];
      if (upload?.state === "written") throw isSaving(upload.writer === ledger);
      if (upload?.state !== "attached" || seen.has(key)) throw otherRow();
      if (upload.target?.dataSource !== ledger.runner.dataSource) throw otherDataSource();
      seen.add(key);
      return [upload];
    });
    for (const upload of uploads) Object.assign(upload, { state: "written", writer: ledger });
  }

  /**
   * Notes which uploads a statement has written, and gives back those that it has not.
   *
   * @throws PrivateFileError when it has written an upload into several rows.
   */
  answered(ledger: Ledger, statement: AnsweredStatement): void {
    if (statement.verb === "DELETE") this.#deleted(ledger, statement.success);
    const keys = writtenParameters(statement.sql, statement.parameters, statement.verb).filter(isOurKey);
    if (keys.length === 0 || !this.#tables.mayBeWrittenBy(statement.sql)) return;
    const uploads = keys.flatMap((key) => uploadOf(key) ?? []);
    const written = uploads.filter((upload) => upload.writer === ledger && !ledger.find(upload));
    const rows = rowsWritten(ledger, statement);
    for (const upload of written) {
      if (rows === 0) giveBack(ledger, upload);
      else ledger.add(ledger.notes.wrote(upload));
    }
    if (statement.verb === "UPDATE" && rows !== undefined && rows > 1) throw severalRows();
  }

  /** Notes what an UPDATE or an INSERT did beyond the uploads that its statement was seen to write. */
  written(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[], before?: ObjectLiteral): void {
    const note = ledger.notes.take(entity);
    for (const column of columns) {
      const record = column.recordOf(entity);
      const row = note?.row ?? rowTextOf(column, before ?? entity);
      const change = record && ledger.find(record);
      if (change) change.row ??= row;
      const noted = note?.columns.get(column);
      if (noted?.isWritten && noted.record === record) continue;
      // Another subscriber's value, or a listener's, comes after the row was read: then what TypeORM loaded has to do.
      const replaced = noted?.replaced ?? this.#stored(column, before && column.recordOf(before)?.key);
      const isChanged = column.column.getEntityValue(entity) !== undefined && replaced?.key !== record?.key;
      if (replaced && isChanged) ledger.add({ replaced, row });
    }
  }

  /** Notes that a row was removed. */
  removed(ledger: Ledger, columns: PrivateColumn[], id: ObjectLiteral): void {
    const note = ledger.notes.take(rowText(columns[0]!, id));
    for (const change of note ? removed(note) : []) ledger.add(change);
  }

  /** Whether a value is an upload that no row has, or an object that was adopted. */
  #isNewUpload(ledger: Ledger, column: PrivateColumn, record: FileRecord): boolean {
    // The transformer refuses it, with an error of its own.
    if (record.state === "discarded") return true;
    if (record.state === "written") throw isSaving(record.writer === ledger, column);
    if (record.state !== "attached") return false;
    if (record.target?.dataSource !== column.entity.dataSource) throw otherDataSource(column);
    if (record.target.place !== column.place) throw otherTarget(column);
    // A hook may hold the save up for longer than the upload had left.
    record.expiresAt = undefined;
    // Outside a transaction nothing tells that the statement will not come.
    if (!record.isAdopted && ledger.isOpen) ledger.announce(record);
    return true;
  }

  /** Whether a value may be written only where its row has it already. */
  #isOfARow(ledger: Ledger, column: PrivateColumn, entity: ObjectLiteral): boolean {
    const record = column.recordOf(entity);
    if (!record || (record.state === "written" && record.writer === ledger)) return false;
    return !this.#isNewUpload(ledger, column, record);
  }

  #permit(
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
   * Nothing else tells of a removal whose listener throws, so it is noted early: what is still there is not deleted. Nor does anything
   * tell that a removal will not come, so one that fails is forgotten.
   */
  #deleted(ledger: Ledger, success: boolean): void {
    if (!success) ledger.notes.forgetRemovals();
    for (const change of ledger.notes.removals) ledger.add(change);
  }

  #stored(column: PrivateColumn, key: string | null | undefined): StoredKey | undefined {
    return key ? { key, storage: this.storages.storageOf(column) } : undefined;
  }
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

/** `undefined` where the driver does not tell, or where no answer came. */
function rowsWritten({ runner }: Ledger, { success, raw, error }: AnsweredStatement): number | undefined {
  if (success) return changedRows(runner, raw);
  return isAnswer(runner, error) ? 0 : undefined;
}

/** Its statement did nothing, so the upload may be saved again. */
function giveBack(ledger: Ledger, upload: FileRecord): void {
  Object.assign(upload, { state: "attached", writer: undefined });
  ledger.announce(upload);
  ledger.notes.forget(upload);
}

function isOurKey(value: unknown): value is string {
  return typeof value === "string" && isOurs(value);
}

/** The same text for the same row. */
function rowText(column: PrivateColumn, id: ObjectLiteral): string {
  return `${column.entity.tablePath} ${idText(column.entity, id)}`;
}

function rowTextOf(column: PrivateColumn, entity: ObjectLiteral): string | undefined {
  const id = column.entity.getEntityIdMap(entity);
  return id && rowText(column, id);
}
