import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import { columnsBehind, type KeyColumn } from "../database/named-keys.js";
import { visible } from "../quoted.js";
import { difference } from "../verification/finding.js";
import { type VerifiedRow, verifyRows } from "../verification/verify-rows.js";
import { isReadable, refusalOf } from "./access.js";
import { FoundRows } from "./found-rows.js";
import { type CheckOptions, notChecked, type Problem } from "./problem.js";

/** Reads the objects of rows that say which bytes their files have, and looks whether they have them. */
export async function checkObjects(
  dataSource: DataSource,
  storages: ColumnStorages,
  keyColumns: KeyColumn[],
  options: CheckOptions,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const keyColumn of keyColumns) {
    if (!(await isReadable(dataSource, keyColumn))) continue;
    problems.push(...(await checkObjectsOf(dataSource, storages, keyColumn, options)));
  }
  return problems;
}

async function checkObjectsOf(
  dataSource: DataSource,
  storages: ColumnStorages,
  keyColumn: KeyColumn,
  { signal, onProgress }: CheckOptions,
): Promise<Problem[]> {
  const { subject } = columnsBehind(storages.columns, keyColumn)[0]!;
  const found = { altered: new FoundRows(), missing: new FoundRows(), unreadable: new FoundRows() };
  const unverified = new FoundRows();
  const tell = (done: number, expected: number) => onProgress?.({ step: "verify", done, expected });
  try {
    for await (const verified of verifyRows({ dataSource, storages, signal, onProgress: tell }, keyColumn)) {
      const { kind } = verified.finding;
      if (kind === "unverified") unverified.add(verified.row);
      else if (kind !== "verified" && kind !== "invalid") found[kind].add(verified.row, reasonOf(verified));
    }
  } catch (error) {
    return [notChecked(subject, "the digests of its files", refusalOf({ dataSource }, error).refusal)];
  }
  return [
    ...found.altered.problem("ALTERED_OBJECTS", "error", subject, ALTERED),
    ...found.missing.problem("MISSING_OBJECTS", "error", subject, MISSING),
    ...found.unreadable.problem("UNREADABLE_OBJECTS", "error", subject, UNREADABLE),
    ...unverified.problem("UNVERIFIED_OBJECTS", "info", subject, UNVERIFIED),
  ];
}

function reasonOf({ finding }: VerifiedRow): string | undefined {
  if (finding.kind === "altered") return difference(finding.expected, finding.found);
  return finding.kind === "unreadable" ? visible(finding.error.message) : undefined;
}

const ALTERED = [
  "an object that has other bytes than the row says",
  "Restore the objects. Where an object is right, correct the row.",
] as const;
const MISSING = ["an object that the storage does not have", "Restore the objects."] as const;
const UNREADABLE = ["an object that the storage can't read", "Fix the cause, and check again."] as const;
const UNVERIFIED = [
  "a file and no digest",
  "Nothing says which bytes are right, so that they were not verified. Where you trust a file, write its digest into the row.",
] as const;
