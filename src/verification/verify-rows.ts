import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { type KeyRow, KeyRows } from "../database/key-rows.js";
import type { KeyColumn } from "../database/named-keys.js";
import { objectKey } from "../storage/spelling.js";
import { examine } from "./examine.js";
import { Expectations } from "./expectation.js";
import type { Finding } from "./finding.js";

/** How many objects are read at a time. */
const AT_ONCE = 4;
/** After how many rows the findings are told: what was found is looked at once more before. */
const BATCH = 100;

/** What a verification works on. */
export interface Verification {
  /** Whose rows they are. */
  dataSource: DataSource;
  /** Where their objects are. */
  storages: ColumnStorages;
  /** Ends it. */
  signal?: AbortSignal;
  /** Is told how many rows are done, and how many there are. */
  onProgress(done: number, expected: number): void;
}

/** A row, and what was found of its object. */
export interface VerifiedRow {
  /** The column of the row's own class. */
  column: PrivateColumn;
  /** The row. */
  row: KeyRow;
  /** What its object is, beside what the row says. */
  finding: Finding;
}

/**
 * Reads the objects that the rows of a column of the database name, and holds them against what the rows say. A row that was removed meanwhile,
 * or says something else by now, is left out if its object is not as it was to be.
 *
 * Costs a SELECT for 2000 rows, one for 100 rows where any of them needs a second look, and the reading of the objects.
 */
export async function* verifyRows(verification: Verification, keyColumn: KeyColumn): AsyncGenerator<VerifiedRow> {
  const expectations = new Expectations(verification.storages, keyColumn);
  const rows = new KeyRows(verification.dataSource, keyColumn, expectations.columns);
  const expected = await rows.count();
  let done = 0;
  const verify = async (row: KeyRow) => {
    const verified = await verifyRow(verification, expectations, row);
    verification.onProgress(++done, expected);
    return verified;
  };
  for await (const page of rows.pages(verification.signal)) {
    for (let start = 0; start < page.length; start += BATCH) {
      const batch = page.slice(start, start + BATCH);
      const verified = (await concurrently(batch, verify)).filter((one) => one !== undefined);
      yield* verified.every(isFine) ? verified : stillSo(verified, await rows.again(batch), expectations);
    }
  }
}

/** `undefined` for a row that says nothing of a file. */
async function verifyRow(
  { storages, signal }: Verification,
  expectations: Expectations,
  row: KeyRow,
): Promise<VerifiedRow | undefined> {
  signal?.throwIfAborted();
  const column = row.key === "" ? undefined : expectations.columnOf(row);
  if (column === undefined) return undefined;
  const storage = storages.storageOf(column);
  const finding = await examine(storage, objectKey(storage, row.key), expectations.of(row, column), signal);
  return { column, row, finding };
}

/** Does the same for each row, a few at a time. */
async function concurrently<T>(rows: KeyRow[], work: (row: KeyRow) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const queue = numbered(rows);
  const worker = async () => {
    for (const [index, row] of queue) results[index] = await work(row);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Unlike the entries of an array, these end for all workers when one of them throws. */
function* numbered(rows: KeyRow[]): Generator<[index: number, row: KeyRow]> {
  yield* rows.entries();
}

function isFine({ finding: { kind } }: VerifiedRow): boolean {
  return kind === "verified" || kind === "unverified";
}

/** While an object was read, its row may have gone, or have got another file. */
function stillSo(verified: VerifiedRow[], again: KeyRow[], expectations: Expectations): VerifiedRow[] {
  const identify = (row: KeyRow) => {
    const column = expectations.columnOf(row);
    return JSON.stringify([row.position, row.key, column && expectations.of(row, column)]);
  };
  const now = new Set(again.map(identify));
  return verified.filter((one) => isFine(one) || now.has(identify(one.row)));
}
