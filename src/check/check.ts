import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { abortSignal, checkOptions, functionLike, type OptionRules, texts, trueOrFalse } from "../options.js";
import { verifiableColumns } from "../verification/expectation.js";
import { checkDurability } from "./durability.js";
import { checkFolders } from "./folders.js";
import { checkObjects } from "./objects.js";
import type { CheckOptions, Problem } from "./problem.js";
import { checkRows } from "./rows.js";
import { checkStorages } from "./storages.js";
import { checkTables } from "./tables.js";

/**
 * Looks for what would make uploads fail or files be read by others: in the storages, and in the database.
 *
 * @throws ConfigurationError for an unknown option or a wrong one, for a static folder that is not there, and for `verify` where no column
 * has a digest.
 */
export async function check(
  dataSource: DataSource,
  storages: ColumnStorages,
  options: CheckOptions,
): Promise<Problem[]> {
  checkOptions("PrivateFiles.check", options, RULES);
  const { verify = false, signal } = options;
  const verifiable = verify ? verifiableColumns(storages, "PrivateFiles.check") : [];
  signal?.throwIfAborted();
  return [
    ...(await checkFolders(storages.storages, options.staticFolders)),
    ...(await checkStorages(storages)),
    ...(await checkTables(dataSource, storages)),
    ...(await checkRows(dataSource, storages, signal)),
    ...(await checkDurability(dataSource)),
    ...(await checkObjects(dataSource, storages, verifiable, options)),
  ];
}

const RULES: OptionRules<CheckOptions> = {
  staticFolders: texts("public"),
  verify: trueOrFalse,
  signal: abortSignal,
  onProgress: functionLike("({ done, expected }) => console.log(done, expected)"),
};
