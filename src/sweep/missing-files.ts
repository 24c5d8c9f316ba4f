import type { PrivateColumn } from "../column/private-column.js";
import { type KeyRow, KeyRows } from "../database/key-rows.js";
import { type KeyColumn, keyColumns } from "../database/named-keys.js";
import { InvalidKeyError } from "../errors.js";
import { objectKey } from "../storage/spelling.js";
import type { Storage } from "../storage/storage.js";
import type { KeySet } from "./key-set.js";
import type { OtherNames } from "./other-names.js";
import type { SweepRun } from "./sweep-run.js";

/** How many objects are looked for at a time. */
const AT_ONCE = 10;

/** A row whose object was not found, and why. */
interface Unserved {
  row: KeyRow;
  kind: "missing" | "invalid";
}

/**
 * Looks at the rows whose objects a listing has not shown, for which `keys` has no mark: tells which of them name an object that the
 * storage does not have, and adds all to `otherNames`.
 */
export async function reportMissing(
  run: SweepRun,
  storage: Storage,
  keys: KeySet,
  otherNames: OtherNames,
): Promise<void> {
  const columns = run.storages.columnsOn(storage);
  const expected = keys.size;
  let done = 0;
  for (const keyColumn of keyColumns(columns)) {
    const rows = new KeyRows(run.dataSource, keyColumn);
    for await (const page of rows.pages(run.options.signal)) {
      const unseen = page.filter((row) => row.key !== "" && !keys.wasSeen(objectKey(storage, row.key)));
      for (const { key } of unseen) await otherNames.add(storage, objectKey(storage, key));
      const own = unseen.filter((row) => columnOf(row, keyColumn, columns));
      const unserved = await withoutObject(run, storage, own);
      for (const { row, kind } of unserved.length > 0 ? await stillThere(rows, page, unserved) : []) {
        run.report[kind]++;
        const { subject } = columnOf(row, keyColumn, columns)!;
        await run.found({ kind, key: row.key, column: subject, id: row.id });
      }
      for (const _ of page) run.progress("missing", ++done, expected);
    }
  }
}

/** The column of a row's own class; `undefined` where that has none, or keeps its files in another storage. */
function columnOf(row: KeyRow, keyColumn: KeyColumn, columns: PrivateColumn[]): PrivateColumn | undefined {
  const { databasePath } = keyColumn.entity.findColumnWithPropertyPath(keyColumn.propertyPath)!;
  return columns.find(({ entity, column }) => entity === row.entity && column.databasePath === databasePath);
}

async function withoutObject(run: SweepRun, storage: Storage, rows: KeyRow[]): Promise<Unserved[]> {
  const found: Unserved[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    run.options.signal?.throwIfAborted();
    const some = rows.slice(start, start + AT_ONCE);
    const problems = await Promise.all(some.map(({ key }) => problemOf(storage, objectKey(storage, key))));
    found.push(...some.flatMap((row, index) => (problems[index] ? [{ row, kind: problems[index] }] : [])));
  }
  return found;
}

async function problemOf(storage: Storage, key: string): Promise<Unserved["kind"] | undefined> {
  try {
    return (await storage.stat(key)) ? undefined : "missing";
  } catch (error) {
    if (error instanceof InvalidKeyError) return "invalid";
    throw error;
  }
}

/** Between the reading of a row and the look at its file, both may have gone, or the row have got another file. */
async function stillThere(rows: KeyRows, page: KeyRow[], unserved: Unserved[]): Promise<Unserved[]> {
  const identify = ({ position, key }: KeyRow) => JSON.stringify([position, key]);
  const now = new Set((await rows.again(page)).map(identify));
  return unserved.filter(({ row }) => now.has(identify(row)));
}
