import type { ObjectLiteral } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileRecord } from "../column/private-file.js";
import { RowKeyReader } from "../database/row-keys.js";
import { changedRows, isAnswer } from "../database/transaction-status.js";
import { FileClaims } from "./file-claims.js";
import { severalRows } from "./file-errors.js";
import type { AnsweredStatement, StoredKey } from "./ledger/file-change.js";
import type { Ledger } from "./ledger/ledger.js";
import { removed } from "./ledger/row-notes.js";
import { PrivateTables, writtenKeys } from "./private-tables.js";
import { rowText, rowTextOf } from "./row-text.js";
import { uploadOf } from "./uploads.js";

/** Notes in the ledgers what was written into private columns, and what it replaced. */
export class FileChanges {
  /** Decides what may be written. */
  readonly claims: FileClaims;
  readonly #reader = new RowKeyReader();
  readonly #tables: PrivateTables;

  constructor(private readonly storages: ColumnStorages) {
    this.#tables = new PrivateTables(storages.columns.map(({ entity }) => entity));
    this.claims = new FileClaims(this.#tables, this.#reader);
  }

  /**
   * Looks at the values that an UPDATE of one row changes, and notes what the row has.
   *
   * @throws PrivateFileError for a value that belongs to another row.
   */
  async updating(ledger: Ledger, entity: ObjectLiteral, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    const known = columns.filter((column) => this.claims.isOfARow(ledger, column, entity));
    const note = ledger.notes.add(entity, rowText(columns[0]!, id));
    const keys = await this.#reader.read(ledger.runner, columns, id, true);
    for (const [index, column] of columns.entries()) {
      if (known.includes(column)) this.claims.permit(ledger, column, entity, keys?.[index], id);
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
   * Notes which uploads a statement has written, and gives back those that it has not.
   *
   * @throws PrivateFileError when it has written an upload into several rows.
   */
  answered(ledger: Ledger, statement: AnsweredStatement): void {
    if (statement.verb === "DELETE") this.#deleted(ledger, statement.success);
    const keys = writtenKeys(statement);
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
