import type { ColumnStorages } from "../column/column-storages.js";
import type { ColumnMetadata, PrivateColumn } from "../column/private-column.js";
import type { KeyRow } from "../database/key-rows.js";
import { columnsBehind, type KeyColumn, keyColumns } from "../database/named-keys.js";
import { ConfigurationError } from "../errors.js";
import type { FileDigest } from "./finding.js";

/**
 * The columns of the database whose rows may say which bytes their files have, or how many. The rows of views are rows of tables.
 *
 * @param subject names the caller in the message.
 * @throws ConfigurationError where there is none.
 */
export function verifiableColumns(storages: ColumnStorages, subject: string): KeyColumn[] {
  const columns = keyColumns(storages.columns.filter(isVerifiable));
  if (columns.length > 0) return columns;
  throw new ConfigurationError(
    `${subject}: "verify" needs a column that keeps the digests of its files, and there is none. Give a private file column "fields.sha256", or leave "verify" out.`,
  );
}

function isVerifiable(column: PrivateColumn): boolean {
  return column.entity.tableType !== "view" && saying(column).length > 0;
}

/** The siblings of a column that say something of the bytes. */
function saying(column: PrivateColumn): [field: keyof FileDigest, sibling: ColumnMetadata][] {
  return column.fieldColumns.flatMap(([field, sibling]): [keyof FileDigest, ColumnMetadata][] =>
    field === "sha256" || field === "size" ? [[field, sibling]] : [],
  );
}

/** What rows of a column of the database say of their files. With single table inheritance each class may keep it elsewhere. */
export class Expectations {
  /** The columns that have to be read with a row. */
  readonly columns: ColumnMetadata[];
  readonly #classes: PrivateColumn[];

  constructor(storages: ColumnStorages, { entity, propertyPath }: KeyColumn) {
    this.#classes = columnsBehind(storages.columns, { entity, propertyPath });
    const names = new Set(this.#classes.flatMap(saying).map(([, { databasePath }]) => databasePath));
    // The topmost parent has the columns of its children as well.
    this.columns = entity.columns.filter(({ databasePath }) => names.has(databasePath));
  }

  /** The column of a row's own class; `undefined` where that is unknown, or keeps neither digest nor size. */
  columnOf(row: KeyRow): PrivateColumn | undefined {
    const column = this.#classes.find(({ entity }) => entity === row.entity);
    return column && isVerifiable(column) ? column : undefined;
  }

  /** What a row says, by the column of its class. */
  of(row: KeyRow, column: PrivateColumn): FileDigest {
    const expected: FileDigest = {};
    for (const [field, { databasePath }] of saying(column)) {
      const value = row.values[this.columns.findIndex((one) => one.databasePath === databasePath)];
      if (field === "sha256" && isFilled(value)) expected.sha256 = String(value);
      // Drivers give large integers as texts.
      if (field === "size" && isFilled(value) && Number.isSafeInteger(Number(value))) expected.size = Number(value);
    }
    return expected;
  }
}

function isFilled(value: unknown): boolean {
  return value !== null && value !== undefined && String(value).trim() !== "";
}
