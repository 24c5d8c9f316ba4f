import type { ObjectLiteral } from "typeorm";
import type { FileDigest } from "../verification/finding.js";

/** What a sweep looks for, and what it does with it. */
export interface SweepOptions {
  /**
   * The grace period in seconds: an object that was written or got its key since is never touched, as its row may not be saved yet. It
   * must be longer than the longest time between `attach` and the commit. (default: 86 400, a day)
   */
  olderThan?: number;
  /** Whether it only tells what it finds. `false` removes the orphans. (default: `true`) */
  dryRun?: boolean;
  /**
   * Beginnings of keys, such as `uploads/`, below which every object belongs to a private column: needed for what others wrote,
   * such as Django or an import, and for folders that an `uploadTo` had once. End a folder with a slash. (default: none; only keys
   * with the random segment that `attach` makes, in a folder of a column's `uploadTo`, count as this package's)
   */
  prefixes?: string[];
  /**
   * Removes also where no object of the storage is named by any row, as with a database that is empty, or another
   * application's. (default: `false`)
   */
  force?: boolean;
  /**
   * Whether it also reads every object that a row with a digest names, and tells where the bytes are others than the row says. It needs
   * columns with `fields.sha256`; where only `fields.size` is there, the size alone is compared. Nothing is removed because of it.
   * Costs as much as downloading all these files, four at a time. (default: `false`)
   */
  verify?: boolean;
  /** Ends the sweep, which then rejects with the signal's reason. What was removed by then stays removed. */
  signal?: AbortSignal;
  /** Called with each orphan and each row without a file, and awaited. Nothing keeps them otherwise. */
  onItem?: (item: SweepItem) => void | Promise<void>;
  /** Called every now and then: for each file that is verified, else not more often than each 200 objects. It must be quick. */
  onProgress?: (progress: SweepProgress) => void;
}

/** What a sweep finds. */
export type SweepItem = OrphanItem | MissingItem | InvalidItem | AlteredItem | UnreadableItem;

/** An object that no row names, and that is older than the grace period. */
export interface OrphanItem {
  /** Tells it from other items. */
  kind: "orphan";
  /** The object's key. */
  key: string;
  /** Its size in bytes. */
  size: number;
  /** When it was written. */
  modifiedAt: Date;
  /** The columns that it may come from, e.g. `Invoice.scan`: those whose folder it is in, or all of its storage. */
  columns: string[];
  /** Whether it is gone now. */
  removed: boolean;
  /** Why it is not, though it was to be removed. */
  error?: Error;
}

/** A row that names an object which the storage does not have. */
export interface MissingItem {
  /** Tells it from other items. */
  kind: "missing";
  /** The key that the row names. */
  key: string;
  /** The column, e.g. `Invoice.scan`. */
  column: string;
  /** The row's primary key, as `findOneBy` takes it. */
  id: ObjectLiteral;
}

/** A row whose value is not a key, so that no storage can be asked for it: Django, SQL or an import wrote it. */
export interface InvalidItem {
  /** Tells it from other items. */
  kind: "invalid";
  /** The value. */
  key: string;
  /** The column, e.g. `Invoice.scan`. */
  column: string;
  /** The row's primary key, as `findOneBy` takes it. */
  id: ObjectLiteral;
}

/** A row whose object has other bytes than the row says. Either may be wrong: the object, or the row. */
export interface AlteredItem {
  /** Tells it from other items. */
  kind: "altered";
  /** The key that the row names. */
  key: string;
  /** The column, e.g. `Invoice.scan`. */
  column: string;
  /** The row's primary key, as `findOneBy` takes it. */
  id: ObjectLiteral;
  /** What the row says, in the columns that `fields` names. */
  expected: FileDigest;
  /** What the storage has. Without a digest where the size is another, as it was not read then. */
  found: FileDigest;
}

/** A row whose object could not be read. */
export interface UnreadableItem {
  /** Tells it from other items. */
  kind: "unreadable";
  /** The key that the row names. */
  key: string;
  /** The column, e.g. `Invoice.scan`. */
  column: string;
  /** The row's primary key, as `findOneBy` takes it. */
  id: ObjectLiteral;
  /** Why it could not. */
  error: Error;
}

/** What a sweep counted: `listed` is the sum of `named`, `young`, `foreign` and `orphans`. */
export interface SweepReport {
  /** Objects in the storages. */
  listed: number;
  /** Objects that a row names. */
  named: number;
  /** Objects that no row names yet, within the grace period. */
  young: number;
  /**
   * Objects that no row names, and that no private column of this data source is known to have written: Django's, an import's, or
   * those of an entity that the data source does not have. They are left alone.
   */
  foreign: number;
  /** Objects that no row names. */
  orphans: number;
  /** The bytes of the orphans. */
  bytes: number;
  /** Orphans that are gone now. */
  removed: number;
  /** Orphans that could not be removed. */
  failed: number;
  /** Rows that name an object which is not there. */
  missing: number;
  /** Rows whose value is not a key. */
  invalid: number;
  /** What interrupted uploads had left, and was removed. None in a dry run. */
  incomplete: number;
  /** What was counted of the rows whose objects were to be verified. `undefined` without `verify`. */
  verification?: SweepVerification;
}

/** What a sweep with `verify` counted of the rows in columns with `fields.sha256` or `fields.size`. */
export interface SweepVerification {
  /** Rows whose object was read, and has the bytes that the row says. */
  verified: number;
  /** Rows without a digest, so that nothing tells which bytes are right. Where they have a size, it is the right one. */
  unverified: number;
  /** Rows whose object has other bytes, or another size, than the row says. */
  altered: number;
  /** Rows whose object could not be read. */
  unreadable: number;
}

/** How far a sweep is. */
export interface SweepProgress {
  /** What it does: reads the keys that rows name, lists the objects of a storage, looks for the files of rows, treats orphans, verifies files. */
  step: "rows" | "objects" | "missing" | "orphans" | "verify";
  /** How many rows or objects of this step are done. */
  done: number;
  /** About how many there will be; `undefined` where nobody knows yet. */
  expected?: number;
}
