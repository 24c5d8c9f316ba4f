import type { DataSource, QueryRunner, Table, TableIndex } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { proposeKey } from "../column/upload-to.js";
import { onPrimary } from "../database/committed-reads.js";
import { isSqlite } from "../database/dialect.js";
import type { Problem, ProblemCode } from "./problem.js";

/** The longest name that `attach` makes, and one that is short but has an extension. */
const [LONGEST_NAME, SHORT_NAME] = [100, 20];

/** Looks whether the database has the columns, long enough and with an index. */
export async function checkTables(dataSource: DataSource, storages: ColumnStorages): Promise<Problem[]> {
  return onPrimary(dataSource, async (runner) => {
    const problems = new Map<string, Problem>();
    for (const column of storages.columns) {
      for (const problem of await checkTable(runner, column)) {
        // Classes that share a table share what is wrong with it.
        const place = `${column.entity.tablePath}\0${column.column.databasePath}\0${problem.code}`;
        if (!problems.has(place)) problems.set(place, problem);
      }
    }
    return [...problems.values()];
  });
}

async function checkTable(runner: QueryRunner, column: PrivateColumn): Promise<Problem[]> {
  const { tablePath } = column.entity;
  const table = await runner.getTable(tablePath);
  if (!table) {
    return [problem(column, "TABLE_MISSING", "error", `the database has no table "${tablePath}". ${MIGRATE}`)];
  }
  const { databaseName } = column.column;
  if (!table.findColumnByName(databaseName)) {
    const message = `the table "${tablePath}" has no column "${databaseName}". ${MIGRATE}`;
    return [problem(column, "COLUMN_MISSING", "error", message)];
  }
  return [
    ...(await checkDeclaredLength(column)),
    ...(await checkRealLength(runner.dataSource, column, table)),
    ...checkIndex(column, table),
  ];
}

const MIGRATE = "Run the migrations, or synchronize the schema.";

async function checkDeclaredLength(column: PrivateColumn): Promise<Problem[]> {
  const declared = lengthOf(column.column.length);
  const [needed, least] = [await keyLength(column, LONGEST_NAME), await keyLength(column, SHORT_NAME)];
  if (needed === undefined || least === undefined || declared >= needed) return [];
  const severity = declared < least ? "error" : "warning";
  const consequence = severity === "error" ? "hardly any file's name fits" : "long names of files don't fit";
  const message = `the column takes ${declared} characters, and keys have up to ${needed}, so ${consequence}. Give it a "length" of ${needed} or more, or a shorter "uploadTo".`;
  return [problem(column, "COLUMN_SHORT", severity, message)];
}

/** MariaDB without its strict mode cuts what is too long, silently. SQLite takes no notice of lengths. */
async function checkRealLength(dataSource: DataSource, column: PrivateColumn, table: Table): Promise<Problem[]> {
  if (isSqlite(dataSource)) return [];
  const declared = lengthOf(column.column.length);
  const real = lengthOf(table.findColumnByName(column.column.databaseName)!.length);
  const needed = (await keyLength(column, LONGEST_NAME)) ?? Number.POSITIVE_INFINITY;
  if (real >= Math.min(declared, needed)) return [];
  const message = `the database's column takes ${real} characters, the entity says ${declared}: keys may be cut, and their files lost. ${MIGRATE}`;
  return [problem(column, "COLUMN_SHORTER_THAN_DECLARED", "error", message)];
}

function checkIndex(column: PrivateColumn, table: Table): Problem[] {
  const { databaseName } = column.column;
  const indexed = [
    ...table.indices.map((index) => inOrder(column, index)),
    ...table.uniques.map(({ columnNames }) => columnNames),
    table.primaryColumns.map(({ name }) => name),
  ];
  if (indexed.some(([first]) => first === databaseName)) return [];
  const message =
    "no index begins with the column, so each removal and each sweep reads the whole table. Put @Index() on the property.";
  return [problem(column, "COLUMN_WITHOUT_INDEX", "warning", message)];
}

/** The columns of an index. PostgreSQL's come in the order of the table, so the entity is asked where it knows the index. */
function inOrder({ entity }: PrivateColumn, { name, columnNames }: TableIndex): string[] {
  const declared = entity.indices.find((index) => index.name === name);
  return declared?.columns.map(({ databaseName }) => databaseName) ?? columnNames;
}

/** How long keys get that `attach` makes; `undefined` where a function makes them. */
async function keyLength({ subject, options }: PrivateColumn, nameLength: number): Promise<number | undefined> {
  const { uploadTo = "" } = options;
  if (typeof uploadTo !== "string") return undefined;
  const key = await proposeKey(subject, uploadTo, {}, "n".repeat(nameLength), Number.POSITIVE_INFINITY);
  return [...key].length;
}

/** TypeORM has an empty text where a column has no limit. */
function lengthOf(length: string): number {
  return Number(length) || Number.POSITIVE_INFINITY;
}

function problem(column: PrivateColumn, code: ProblemCode, severity: Problem["severity"], message: string): Problem {
  return { code, severity, subject: column.subject, message };
}
