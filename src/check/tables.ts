import type { DataSource, QueryRunner } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { onPrimary } from "../database/committed-reads.js";
import { keyColumns } from "../database/named-keys.js";
import { accessTo } from "./access.js";
import { type CataloguedColumn, lookUp } from "./catalogue.js";
import { checkCharset } from "./charset.js";
import { checkLengths } from "./lengths.js";
import { notChecked, type Problem } from "./problem.js";

/** Looks whether the database has the columns, long enough, with an index, and in a character set that holds all names. */
export async function checkTables(dataSource: DataSource, storages: ColumnStorages): Promise<Problem[]> {
  return onPrimary(dataSource, async (runner) => {
    const problems = new Map<string, Problem>();
    for (const column of storages.columns) {
      for (const problem of await checkColumn(runner, column)) {
        // Classes that share a table share what is wrong with it.
        const place = `${column.place}\0${problem.code}`;
        if (!problems.has(place)) problems.set(place, problem);
      }
    }
    return [...problems.values()];
  });
}

async function checkColumn(runner: QueryRunner, column: PrivateColumn): Promise<Problem[]> {
  const [keyColumn] = keyColumns([column]);
  const access = await accessTo(runner, keyColumn!);
  if (access === "TABLE_MISSING" || access === "COLUMN_MISSING") return [missing(column, access)];
  const refused = access === "readable" ? [] : [notChecked(column.subject, "the column", access.refusal)];
  const found = await lookUp(runner, column);
  return found ? [...refused, ...(await checkFound(runner, column, found))] : refused;
}

function missing({ subject, entity, column }: PrivateColumn, code: "TABLE_MISSING" | "COLUMN_MISSING"): Problem {
  const kind = entity.tableType === "view" ? "view" : "table";
  const what =
    code === "TABLE_MISSING"
      ? `the database has no ${kind} "${entity.tablePath}"`
      : `the ${kind} "${entity.tablePath}" has no column "${column.databaseName}"`;
  return { code, severity: "error", subject, message: `${what}. Run the migrations, or synchronize the schema.` };
}

/** A view has what its tables have. A materialized one keeps rows of its own, and may have indexes. */
async function checkFound(runner: QueryRunner, column: PrivateColumn, found: CataloguedColumn): Promise<Problem[]> {
  if (found.kind === "view") return [];
  if (found.kind === "materialized view") return checkIndex(column, found);
  return [
    ...(await checkLengths(column, found)),
    ...checkIndex(column, found),
    ...(await checkCharset(runner, column.subject, found)),
  ];
}

function checkIndex({ subject }: PrivateColumn, { isIndexed }: CataloguedColumn): Problem[] {
  if (isIndexed) return [];
  const message =
    "no index begins with the column, so each removal and each sweep reads the whole table. Put @Index() on the property.";
  return [{ code: "COLUMN_WITHOUT_INDEX", severity: "warning", subject, message }];
}
