import type { DataSource } from "typeorm";
import { checkDurability } from "./check-durability.js";
import { checkFolders } from "./check-folders.js";
import type { CheckOptions, Problem } from "./check-problem.js";
import { checkStorages } from "./check-storages.js";
import { checkTables } from "./check-tables.js";
import type { ColumnStorages } from "./column-storages.js";

/** Looks for what would make uploads fail or files be read by others: in the storages, and in the database. */
export async function check(
  dataSource: DataSource,
  columns: ColumnStorages,
  options: CheckOptions,
): Promise<Problem[]> {
  return [
    ...(await checkFolders(columns.storages, options.staticFolders)),
    ...(await checkStorages(columns)),
    ...(await checkTables(dataSource, columns)),
    ...(await checkDurability(dataSource)),
  ];
}
