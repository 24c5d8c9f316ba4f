import type { DataSource } from "typeorm";
import type { ColumnStorages } from "../column/column-storages.js";
import type { PrivateColumn } from "../column/private-column.js";
import { abortSignal, checkOptions, functionLike, must, type OptionRules, texts, trueOrFalse } from "../options.js";
import { assertPrefix, isOurs } from "../storage/key.js";
import type { StoredObject } from "../storage/storage.js";
import type { SweepItem, SweepOptions, SweepProgress, SweepReport } from "./sweep-options.js";

const DAY = 86_400;
/** No upload that is under way waits as long for its next byte, however short the grace period is. */
const LONGEST_PAUSE = 3600;
const PROGRESS_EACH = 200;

/** A sweep that is under way: what it was asked for, and what it has counted. */
export class SweepRun {
  /** What was found so far. */
  readonly report: SweepReport = {
    ...{ listed: 0, named: 0, young: 0, foreign: 0, orphans: 0 },
    ...{ bytes: 0, removed: 0, failed: 0, missing: 0, invalid: 0, incomplete: 0 },
  };
  /** Whether nothing is removed. */
  readonly dryRun: boolean;
  /** What was written before is older than the grace period. */
  readonly before: Date;
  /** Uploads that last wrote before are no longer under way. */
  readonly abandonedBefore: Date;

  /** @throws ConfigurationError for a wrong option. */
  constructor(
    readonly dataSource: DataSource,
    readonly storages: ColumnStorages,
    readonly options: SweepOptions,
  ) {
    checkOptions("PrivateFiles.sweep", options, RULES);
    const { olderThan = DAY, dryRun = true, prefixes = [] } = options;
    for (const prefix of prefixes) assertPrefix(prefix);
    this.dryRun = dryRun;
    this.before = secondsAgo(olderThan);
    this.abandonedBefore = secondsAgo(Math.max(olderThan, LONGEST_PAUSE));
  }

  /** Whether an object belongs to one of some private columns, by its key: `attach` made it for one of them, or the user says so. */
  isOurs(key: string, columns: PrivateColumn[]): boolean {
    if ((this.options.prefixes ?? []).some((one) => key.startsWith(one))) return true;
    return isOurs(key) && columns.some((column) => mayHaveMade(column, key));
  }

  /** Whether an object may still get its row. */
  isYoung({ modifiedAt, changedAt = modifiedAt }: Pick<StoredObject, "modifiedAt" | "changedAt">): boolean {
    return !(modifiedAt <= this.before && changedAt <= this.before);
  }

  /** Tells of something that was found. */
  async found(item: SweepItem): Promise<void> {
    await this.options.onItem?.(item);
  }

  /** Tells how far a step is, when enough was done since, and ends the sweep when it is to end. */
  progress(step: SweepProgress["step"], done: number, expected?: number): void {
    // An object that is read may be large.
    if (step !== "verify" && done % PROGRESS_EACH !== 0) return;
    this.options.signal?.throwIfAborted();
    this.options.onProgress?.({ step, done, expected });
  }
}

const RULES: OptionRules<SweepOptions> = {
  olderThan: must("0 or more", (value) => Number.isFinite(value) && (value as number) >= 0, "Give seconds"),
  dryRun: trueOrFalse,
  // An empty prefix, such as that of a variable without a value, would cover the whole storage.
  prefixes: texts("uploads/"),
  force: trueOrFalse,
  verify: trueOrFalse,
  signal: abortSignal,
  onItem: functionLike("(item) => console.log(item.key)"),
  onProgress: functionLike("({ step, done }) => console.log(step, done)"),
};

/** Whether a key is in the folder of a column, as far as its `uploadTo` tells. */
export function mayHaveMade({ options: { uploadTo = "" } }: PrivateColumn, key: string): boolean {
  if (typeof uploadTo !== "string") return true;
  const pattern = uploadTo.indexOf("%");
  return key.startsWith(pattern >= 0 ? uploadTo.slice(0, pattern) : uploadTo && `${uploadTo}/`);
}

/** A date that is one, however many seconds there are. */
/** In milliseconds, which Node rounds for the times of files, and the clock cuts: what was written just now may seem to be one later. */
function secondsAgo(seconds: number): Date {
  return new Date(Math.max(0, Date.now() + 1 - seconds * 1000));
}
