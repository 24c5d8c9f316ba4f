import type { PrivateColumn } from "../column/private-column.js";
import type { KeyColumn } from "../database/named-keys.js";
import { objectKey } from "../storage/spelling.js";
import { type VerifiedRow, verifyRows } from "../verification/verify-rows.js";
import type { KeySet } from "./key-set.js";
import type { SweepVerification } from "./sweep-options.js";
import type { SweepRun } from "./sweep-run.js";

/** Reads the objects of rows that say which bytes their files have, and tells of those that have others. Removes nothing. */
export async function verifyObjects(
  run: SweepRun,
  keyColumns: KeyColumn[],
  keys: Map<PrivateColumn, KeySet>,
): Promise<void> {
  const { dataSource, storages } = run;
  const onProgress = (done: number, expected: number) => run.progress("verify", done, expected);
  const counts: SweepVerification = { verified: 0, unverified: 0, altered: 0, unreadable: 0 };
  run.report.verification = counts;
  for (const keyColumn of keyColumns) {
    const verification = { dataSource, storages, signal: run.options.signal, onProgress };
    for await (const verified of verifyRows(verification, keyColumn)) {
      if (verified.finding.kind === "missing") await tellMissing(run, verified, keys.get(verified.column)!);
      else await tell(run, verified, counts);
    }
  }
}

/** Rows whose objects were not listed have been looked at before. This one has lost its object since. */
async function tellMissing(run: SweepRun, { column, row }: VerifiedRow, keys: KeySet): Promise<void> {
  if (!keys.wasSeen(objectKey(run.storages.storageOf(column), row.key))) return;
  run.report.missing++;
  await run.found({ kind: "missing", key: row.key, column: column.subject, id: row.id });
}

/** Also which rows have no key was told before. */
async function tell(run: SweepRun, { column, row, finding }: VerifiedRow, counts: SweepVerification): Promise<void> {
  if (finding.kind === "missing" || finding.kind === "invalid") return;
  counts[finding.kind]++;
  if (finding.kind === "verified" || finding.kind === "unverified") return;
  await run.found({ key: row.key, column: column.subject, id: row.id, ...finding });
}
