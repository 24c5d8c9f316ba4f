import type { PrivateColumn } from "../column/private-column.js";
import { type KeyRow, KeyRows } from "../database/key-rows.js";
import { type KeyColumn, keyColumns } from "../database/named-keys.js";
import { InvalidKeyError } from "../errors.js";
import type { Storage } from "../storage/storage.js";
import type { KeySet } from "./key-set.js";
import type { SweepRun } from "./sweep-run.js";

/** How many objects are looked for at a time. */
const AT_ONCE = 10;

/** Tells which rows name an object that the storage does not have. Looks for those alone that `keys` has no mark for. */
export async function reportMissing(run: SweepRun, storage: Storage, keys: KeySet): Promise<void> {
  const columns = run.storages.columnsOn(storage);
  const expected = keys.size;
  let done = 0;
  for (const keyColumn of keyColumns(columns)) {
    const rows = new KeyRows(run.dataSource, keyColumn);
    for await (const page of rows.pages(run.options.signal)) {
      const unseen = page.filter(
        (row) => row.key !== "" && !keys.wasSeen(row.key) && columnOf(row, keyColumn, columns),
      );
      const missing = await absent(run, storage, unseen);
      for (const row of missing.length > 0 ? await stillThere(rows, page, missing) : []) {
        run.report.missing++;
        const { subject } = columnOf(row, keyColumn, columns)!;
        await run.found({ kind: "missing", key: row.key, column: subject, id: row.id });
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

async function absent(run: SweepRun, storage: Storage, rows: KeyRow[]): Promise<KeyRow[]> {
  const found: KeyRow[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    run.options.signal?.throwIfAborted();
    const some = rows.slice(start, start + AT_ONCE);
    const there = await Promise.all(some.map(({ key }) => isThere(storage, key)));
    found.push(...some.filter((_, index) => !there[index]));
  }
  return found;
}

/** What is no key, as a hand or another program wrote it, names nothing. */
async function isThere(storage: Storage, key: string): Promise<boolean> {
  try {
    return (await storage.stat(key)) !== undefined;
  } catch (error) {
    if (error instanceof InvalidKeyError) return false;
    throw error;
  }
}

/** Between the reading of a row and the look at its file, both may have gone, or the row have got another file. */
async function stillThere(rows: KeyRows, page: KeyRow[], missing: KeyRow[]): Promise<KeyRow[]> {
  const identify = ({ position, key }: KeyRow) => JSON.stringify([position, key]);
  const now = new Set((await rows.again(page)).map(identify));
  return missing.filter((row) => now.has(identify(row)));
}
