import type { ObjectLiteral, QueryRunner } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileRecord } from "../column/private-file.js";
import { idText, RowKeyReader } from "../database/row-keys.js";
import { writtenParameters, writtenTable } from "../database/statement.js";
import { changedRows, isAnswer } from "../database/transaction-status.js";
import { isOurs } from "../storage/key.js";
import { isSaving, otherDataSource, otherRow, otherTarget, severalRows } from "./file-errors.js";
import type { Ledger, StoredKey } from "./ledger.js";
import { uploadOf } from "./uploads.js";

/** What a statement that was announced is to do to the file of a column of one row. */
interface ColumnNote {
  /** What the row has. */
  replaced?: StoredKey;
  /** What it is to get. */
  record?: FileRecord;
  /** Whether a statement was seen to write that. */
  isWritten?: boolean;
}

/** What statements that were announced are to do to one row. */
interface RowNote {
  /** The row, as {@link rowText} names it. */
  row: string;
  columns: Map<PrivateColumn, ColumnNote>;
}

/**
 * Decides what may be written into private columns, and notes what was written.
 *
 * Entity events refuse early, with a message that names the column. The statement itself decides, as it is sent: listeners and
 * later subscribers change values after every other event.
 */
export class FileChanges {
  readonly #reader = new RowKeyReader();
  /** By the entity that is updated, or by the row that is removed. */
  readonly #notes = new WeakMap<Ledger, Map<object | string, RowNote>>();
  /** Keys that the next UPDATE may write, since its row has them already, and the epoch in which it was seen to. */
  readonly #permits = new WeakMap<Ledger, Map<string, number>>();

  /** The tables that have private columns. */
  readonly #tables: string[];

  constructor(private readonly storages: ColumnStorages) {
    const columns = storages.storages.flatMap((storage) => storages.columnsOn(storage));
    this.#tables = [...new Set(columns.map(({ entity }) => entity.tableName.toLowerCase()))];
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
  updatingSome(
    ledger: Ledger,
    runner: QueryRunner,
    values: ObjectLiteral,
    columns: PrivateColumn[],
  ): Promise<void> | undefined {
    const known = columns.filter((column) => this.#isOfARow(ledger, column, values));
    if (known.length === 0) return undefined;
    const id = known[0]!.entity.getEntityIdMap(values);
    if (!id) throw otherRow(known[0]!);
    return this.#reader.read(runner, known, id, true).then((keys) => {
      for (const [index, column] of known.entries()) this.#permit(ledger, column, values, keys?.[index], id);
    });
  }

  /**
   * Looks at the values that an UPDATE of one row changes, and notes what the row has.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  async updating(
    ledger: Ledger,
    runner: QueryRunner,
    entity: ObjectLiteral,
    columns: PrivateColumn[],
    id: ObjectLiteral,
  ): Promise<void> {
    const known = columns.filter((column) => this.#isOfARow(ledger, column, entity));
    const note = this.#note(ledger, entity, columns, id);
    const keys = await this.#reader.read(runner, columns, id, true);
    for (const [index, column] of columns.entries()) {
      if (known.includes(column)) this.#permit(ledger, column, entity, keys?.[index], id);
      const record = column.recordOf(entity);
      const replaced = keys?.[index] === record?.key ? undefined : this.#stored(column, keys?.[index]);
      note.columns.set(column, { replaced, record });
    }
  }

  /** Notes what a row has that is about to be removed. */
  async removing(ledger: Ledger, runner: QueryRunner, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    const note = this.#note(ledger, rowText(columns[0]!, id), columns, id);
    // Removing needs no right to update, which a lock would.
    const keys = await this.#reader.read(runner, columns, id, false);
    for (const [index, column] of columns.entries()) {
      note.columns.set(column, { replaced: this.#stored(column, keys?.[index]) });
    }
  }

  /**
   * Claims the uploads that a statement is about to write. All are checked before any is claimed.
   *
   * @throws PrivateFileError for a key that this statement may not write; the statement is not sent then.
   */
  sending(ledger: Ledger, runner: QueryRunner, sql: string, parameters: unknown, verb: string): void {
    const keys = this.#keysWritten(sql, parameters, verb);
    if (keys.length === 0) return;
    const uploads = keys.flatMap((key, index) => {
      if (verb === "UPDATE" && this.#takePermit(ledger, key)) return [];
      const upload = uploadOf(key);
      if (verb === "UPDATE" && upload && this.#isWrittenAgain(ledger, upload)) return [];
      if (upload?.state === "written") throw isSaving(upload.writer === ledger);
      if (upload?.state !== "attached" || keys.indexOf(key) !== index) throw otherRow();
      if (upload.target?.dataSource !== runner.dataSource) throw otherDataSource();
      return [upload];
    });
    for (const upload of uploads) Object.assign(upload, { state: "written", writer: ledger });
  }

  /**
   * Notes which uploads a statement has written, and gives back those that it has not.
   *
   * @throws PrivateFileError when it has written an upload into several rows.
   */
  answered(
    ledger: Ledger,
    runner: QueryRunner,
    {
      query,
      parameters,
      success,
      raw,
      error,
      verb,
    }: { query: string; parameters: unknown; success: boolean; raw: unknown; error: unknown; verb: string },
  ): void {
    if (verb === "DELETE") this.#deleted(ledger, success);
    const uploads = this.#keysWritten(query, parameters, verb).flatMap((key) => uploadOf(key) ?? []);
    const written = uploads.filter((upload) => upload.writer === ledger && !ledger.find(upload));
    if (written.length === 0) return;
    const rows = success ? changedRows(runner, raw) : isAnswer(runner, error) ? 0 : undefined;
    for (const upload of written) {
      if (rows === 0) {
        Object.assign(upload, { state: "attached", writer: undefined });
        ledger.announce(upload);
        this.#forget(ledger, (_, { columns }) => [...columns.values()].some(({ record }) => record === upload));
      } else ledger.add({ upload, ...this.#takeNote(ledger, upload) });
    }
    if (verb === "UPDATE" && rows !== undefined && rows > 1) throw severalRows();
  }

  /** Notes what an UPDATE or an INSERT did beyond the uploads that its statement was seen to write. */
  written(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[], before?: ObjectLiteral): void {
    const note = this.#notes.get(ledger)?.get(entity);
    this.#notes.get(ledger)?.delete(entity);
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
    const row = rowText(columns[0]!, id);
    const note = this.#notes.get(ledger)?.get(row);
    this.#notes.get(ledger)?.delete(row);
    if (note) addRemoval(ledger, note);
  }

  /** The keys of ours that a statement writes into a table with private columns. Other tables may keep them, as a log does. */
  #keysWritten(sql: string, parameters: unknown, verb: string): string[] {
    const keys = writtenParameters(sql, parameters, verb).filter(isOurKey);
    if (keys.length === 0) return keys;
    const table = writtenTable(sql);
    const text = sql.toLowerCase();
    const concerns =
      table === undefined ? this.#tables.some((one) => text.includes(one)) : this.#tables.includes(table);
    return concerns ? keys : [];
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
  ): void {
    const record = column.recordOf(entity)!;
    if (key === record.key) {
      if (record.state === "unknown") record.state = "stored";
      const permits = this.#permits.get(ledger) ?? new Map<string, number>();
      this.#permits.set(ledger, permits.set(key, ledger.epoch));
    } else if (record.state === "unknown" && record.row === rowText(column, id)) {
      record.state = "attached";
      ledger.announce(record);
    } else throw otherRow(column);
  }

  #takePermit(ledger: Ledger, key: string): boolean {
    const permits = this.#permits.get(ledger);
    const epoch = permits?.get(key);
    permits?.delete(key);
    return epoch === ledger.epoch;
  }

  /** `save([a, a])` sends two updates of one row, which are both prepared before either is sent. */
  #isWrittenAgain(ledger: Ledger, upload: FileRecord): boolean {
    const change = ledger.find(upload);
    const rows = new Set(change && [change.row]);
    for (const { row, columns } of this.#notes.get(ledger)?.values() ?? []) {
      if ([...columns.values()].some(({ record }) => record === upload)) rows.add(row);
    }
    return upload.writer === ledger && rows.size === 1 && !rows.has(undefined);
  }

  #takeNote(ledger: Ledger, upload: FileRecord): { row?: string; replaced?: StoredKey } {
    for (const { row, columns } of this.#notes.get(ledger)?.values() ?? []) {
      for (const noted of columns.values()) {
        if (noted.record !== upload || noted.isWritten) continue;
        noted.isWritten = true;
        return { row, replaced: noted.replaced };
      }
    }
    return {};
  }

  /**
   * Nothing else tells of a removal whose listener throws, so it is noted early: what is still there is not deleted. Nor does anything
   * tell that a removal will not come, so one that fails is forgotten.
   */
  #deleted(ledger: Ledger, success: boolean): void {
    for (const [subject, note] of this.#notes.get(ledger) ?? []) {
      if (success && typeof subject === "string") addRemoval(ledger, note);
    }
    if (!success) this.#forget(ledger, (subject) => typeof subject === "string");
  }

  #forget(ledger: Ledger, test: (subject: object | string, note: RowNote) => boolean): void {
    const notes = this.#notes.get(ledger);
    for (const [subject, note] of notes ?? []) if (test(subject, note)) notes!.delete(subject);
  }

  #note(ledger: Ledger, subject: object | string, columns: PrivateColumn[], id: ObjectLiteral): RowNote {
    const note = { row: rowText(columns[0]!, id), columns: new Map<PrivateColumn, ColumnNote>() };
    const notes = this.#notes.get(ledger) ?? new Map<object | string, RowNote>();
    this.#notes.set(ledger, notes.set(subject, note));
    return note;
  }

  #stored(column: PrivateColumn, key: string | null | undefined): StoredKey | undefined {
    return key ? { key, storage: this.storages.storageOf(column) } : undefined;
  }
}

function addRemoval(ledger: Ledger, { row, columns }: RowNote): void {
  for (const { replaced } of columns.values()) ledger.add({ replaced, row });
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
