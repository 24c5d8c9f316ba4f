import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { onPrimary } from "../database/committed-reads.js";
import { type KeyRow, KeyRows } from "../database/key-rows.js";
import { columnsBehind, type KeyColumn, keyColumns } from "../database/named-keys.js";
import { partlyHiddenTable } from "../database/row-visibility.js";
import { InvalidKeyError } from "../errors.js";
import { assertKey, isOurs } from "../storage/key.js";
import { objectKey } from "../storage/spelling.js";
import type { Storage } from "../storage/storage.js";
import { isReadable, refusalOf } from "./access.js";
import { FoundRows } from "./found-rows.js";
import { notChecked, type Problem } from "./problem.js";

/**
 * Looks for rows whose value is not a key, and for rows that name objects which this package did not write. Costs one SELECT for 2000 rows with
 * a file. The rows of views are rows of tables.
 */
export async function checkRows(
  dataSource: DataSource,
  storages: ColumnStorages,
  signal?: AbortSignal,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const keyColumn of keyColumns(storages.columns)) {
    if (keyColumn.entity.tableType === "view" || !(await isReadable(dataSource, keyColumn))) continue;
    const { subject } = columnsBehind(storages.columns, keyColumn)[0]!;
    problems.push(...(await checkRowsOf(dataSource, storages, keyColumn, signal)));
    const hidden = await onPrimary(dataSource, (runner) => partlyHiddenTable(runner, [keyColumn]));
    if (hidden && !hidden.schemas) problems.push(notChecked(subject, "all rows", "row-level security is in force"));
  }
  return problems;
}

async function checkRowsOf(
  dataSource: DataSource,
  storages: ColumnStorages,
  keyColumn: KeyColumn,
  signal?: AbortSignal,
): Promise<Problem[]> {
  const columns = columnsBehind(storages.columns, keyColumn);
  const { subject } = columns[0]!;
  const [invalid, foreign] = [new FoundRows(), new FoundRows()];
  try {
    for await (const page of new KeyRows(dataSource, keyColumn).pages(signal)) {
      for (const row of page) {
        const kind = kindOf(storages.storageOf(columnOf(row, columns)), row.key);
        if (kind) (kind === "invalid" ? invalid : foreign).add(row);
      }
    }
  } catch (error) {
    return [notChecked(subject, "its rows", refusalOf({ dataSource }, error).refusal)];
  }
  return [
    ...invalid.problem("INVALID_KEYS", "warning", subject, INVALID),
    ...foreign.problem("FOREIGN_OBJECTS", "info", subject, FOREIGN),
  ];
}

const INVALID = [
  "a value that is not a key",
  "The files can't be served. Give the files names that are keys, and change the rows.",
] as const;
const FOREIGN = [
  "a key that this package did not make",
  "Their objects are served like all others. Removing the row does not delete them; a sweep does only if it is given their folder as a prefix.",
] as const;

/** The column of a row's own class; any that shares the database's column where that has none. */
function columnOf({ entity }: KeyRow, columns: PrivateColumn[]): PrivateColumn {
  return columns.find((column) => column.entity === entity) ?? columns[0]!;
}

/** Django stores an empty string where there is no file. */
function kindOf(storage: Storage, text: string): "invalid" | "foreign" | undefined {
  if (text === "") return undefined;
  const key = objectKey(storage, text);
  if (!isKey(storage, key)) return "invalid";
  return isOurs(key) ? undefined : "foreign";
}

/** A storage may refuse more than every key has to obey, such as a folder of its own. */
function isKey(storage: Storage, text: string): boolean {
  try {
    assertKey(text);
    storage.path?.(text);
    return true;
  } catch (error) {
    if (error instanceof InvalidKeyError) return false;
    throw error;
  }
}
