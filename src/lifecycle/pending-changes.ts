import type { QueryRunner } from "typeorm";
import type { PrivateFile } from "../column/private-file.js";
import type { Storage } from "../storage/storage.js";

/** An object in a storage. */
export interface StoredKey {
  /** Its key. */
  key: string;
  /** Where it is: one of `ColumnStorages.storages`. */
  storage: Storage;
}

/** An upload that a row is to name. */
export interface PendingUpload extends StoredKey {
  /** The value of the entity's property. */
  file: PrivateFile;
}

/** What saving or removing one entity, in one transaction, does to files. */
export interface FileChange {
  /** The row, where it is known: the same text for the same row. */
  row?: string;
  /** What the row names afterwards, as far as the statement is carried out and stays so. */
  readonly uploads: PendingUpload[];
  /** What the row may have named before and not afterwards. */
  readonly replaced: StoredKey[];
  /** Whether TypeORM reported the last statement as carried out. */
  done: boolean;
  /** Whether that is no reason to believe that the row names the uploads. */
  doubted: boolean;
  /** Whether a transaction ended while the statement was under way. */
  leftOver: boolean;
}

/**
 * The changes whose outcome is not known yet, by the query runner that they are made with and the entity that they are made to.
 *
 * A query runner that is lost with its connection takes its changes along: nobody knows what became of them, so neither
 * the new nor the old file is touched.
 */
export class PendingChanges {
  readonly #changes = new WeakMap<QueryRunner, Map<object, FileChange>>();
  /** How many changes speak of a key. A lost query runner's stay counted, and their keys are left to a sweep. */
  readonly #uses = new Map<Storage, Map<string, number>>();

  /** What is done to the files of an entity, or of a row that TypeORM knows by its primary key alone. */
  find(runner: QueryRunner, subject: object): FileChange | undefined {
    return this.#changes.get(runner)?.get(subject);
  }

  /** Adds to what is done to the files of an entity, before its statement is carried out. */
  add(runner: QueryRunner, subject: object, { uploads = [], replaced = [], ...known }: Partial<FileChange>): void {
    if (uploads.length + replaced.length === 0 && !this.find(runner, subject)) return;
    const change = this.find(runner, subject) ?? this.#begin(runner, subject);
    this.#push(change.uploads, uploads);
    this.#push(change.replaced, replaced);
    Object.assign(change, known, { done: false });
    this.#relate(runner, change);
  }

  /** Notes that what was carried out so far in a transaction may have been taken back. */
  doubt(runner: QueryRunner): void {
    for (const change of this.#changes.get(runner)?.values() ?? []) change.doubted = true;
  }

  /** Takes out the changes of a query runner that a test holds for. They still count as uses of their keys. */
  take(runner: QueryRunner, test: (change: FileChange, subject: object) => boolean): FileChange[] {
    const changes = this.#changes.get(runner) ?? new Map<object, FileChange>();
    const taken = [...changes].filter(([subject, change]) => test(change, subject));
    for (const [subject] of taken) changes.delete(subject);
    for (const change of changes.values()) change.leftOver = true;
    return taken.map(([, change]) => change);
  }

  /** Ends the uses of changes that were taken out. */
  release(changes: FileChange[]): void {
    for (const { storage, key } of changes.flatMap((change) => [...change.uploads, ...change.replaced])) {
      this.#count(storage, key, -1);
    }
  }

  /** Whether a change whose outcome is not known yet speaks of a key. */
  isUsed({ storage, key }: StoredKey): boolean {
    return this.#uses.get(storage)?.has(key) ?? false;
  }

  #begin(runner: QueryRunner, subject: object): FileChange {
    const change = { uploads: [], replaced: [], done: false, doubted: false, leftOver: false };
    const changes = this.#changes.get(runner) ?? new Map<object, FileChange>();
    this.#changes.set(runner, changes.set(subject, change));
    return change;
  }

  /** Two who change one row on one connection at once don't see each other's statement: either may replace the other's file. */
  #relate(runner: QueryRunner, change: FileChange): void {
    if (change.row === undefined) return;
    for (const other of this.#changes.get(runner)?.values() ?? []) {
      if (other === change || other.row !== change.row) continue;
      this.#push(change.replaced, other.uploads);
      this.#push(other.replaced, change.uploads);
    }
  }

  #push<S extends StoredKey>(list: S[], added: S[]): void {
    list.push(...added);
    for (const { storage, key } of added) this.#count(storage, key, 1);
  }

  #count(storage: Storage, key: string, step: 1 | -1): void {
    const uses = this.#uses.get(storage) ?? new Map<string, number>();
    const count = (uses.get(key) ?? 0) + step;
    if (count > 0) uses.set(key, count);
    else uses.delete(key);
    this.#uses.set(storage, uses);
  }
}
