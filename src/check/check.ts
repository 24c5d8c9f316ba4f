import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { abortSignal, checkOptions, functionLike, type OptionRules, texts, trueOrFalse } from "../options.js";
import { checkDurability } from "./durability.js";
import { checkFolders } from "./folders.js";
import type { CheckOptions, Problem } from "./problem.js";
import { checkRows } from "./rows.js";
import { checkStorages } from "./storages.js";
import { checkTables } from "./tables.js";

/**
 * Looks for what would make uploads fail or files be read by others: in the storages, and in the database.
 *
 * @throws ConfigurationError for an unknown option or a wrong one, and for a static folder that is not there.
 */
export async function check(
  dataSource: DataSource,
  storages: ColumnStorages,
  options: CheckOptions,
): Promise<Problem[]> {
  checkOptions("PrivateFiles.check", options, RULES);
  return [
    ...(await checkFolders(storages.storages, options.staticFolders)),
    ...(await checkStorages(storages)),
    ...(await checkTables(dataSource, storages)),
    ...(await checkRows(dataSource, storages)),
    ...(await checkDurability(dataSource)),
  ];
}

const RULES: OptionRules<CheckOptions> = {
  staticFolders: texts("public"),
  verify: trueOrFalse,
  signal: abortSignal,
  onProgress: functionLike("({ done, expected }) => console.log(done, expected)"),
};
