import type { QueryRunner } from "typeorm";
import type { PrivateFile } from "../column/private-file.js";
import { locationOf } from "../storage/location.js";
import type { Storage } from "../storage/storage.js";

/** An object in a storage that a row is to name, or to name no more. */
export interface ChangedObject {
  /** Its key. */
  key: string;
  /** Where it is. */
  storage: Storage;
  /** The value of the property, for an upload that no row was known to name. */
  file?: PrivateFile;
}

/** What saving or removing one entity, in one transaction, does to files. */
export interface FileChange {
  /** The row, where it is known: the same text for the same row. */
  row?: string;
  /** What the row names afterwards, as far as the statement is carried out and stays so. */
  readonly uploads: ChangedObject[];
  /** What the row may have named before and not afterwards. */
  readonly replaced: ChangedObject[];
  /** What the row names afterwards, and another one named before. */
  readonly handedOn: ChangedObject[];
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
  /** A lost query runner's uses stay, and their keys are left to a sweep. */
  readonly #uses = new Map<string | Storage, Map<string, Use>>();

  /** What is done to the files of an entity, or of a row that TypeORM knows by its primary key alone. */
  find(runner: QueryRunner, subject: object): FileChange | undefined {
    return this.#changes.get(runner)?.get(subject);
  }

  /** Whether a change of a query runner has a row that may name an object no more. */
  isReplaced(runner: QueryRunner, { storage, key }: ChangedObject): boolean {
    const changes = [...(this.#changes.get(runner)?.values() ?? [])];
    const isIt = (one: ChangedObject) => locationOf(one.storage) === locationOf(storage) && one.key === key;
    return changes.some(({ replaced }) => replaced.some(isIt));
  }

  /** Adds to what is done to the files of an entity, before its statement is carried out. */
  add(runner: QueryRunner, subject: object, added: Partial<FileChange>): void {
    const { uploads = [], replaced = [], handedOn = [], ...known } = added;
    if (uploads.length + replaced.length + handedOn.length === 0 && !this.find(runner, subject)) return;
    const change = this.find(runner, subject) ?? this.#begin(runner, subject);
    this.#push(change.uploads, uploads);
    this.#push(change.replaced, replaced);
    this.#push(change.handedOn, handedOn);
    Object.assign(change, known, { done: false });
    this.#relate(runner, change);
  }

  /** Has objects looked at again when the transaction that a query runner is in has ended. */
  postpone(runner: QueryRunner, objects: ChangedObject[]): void {
    const change = this.#begin(runner, objects);
    this.#push(change.replaced, objects);
    change.done = true;
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
    return taken.map(([, change]) => change);
  }

  /** Ends the uses of changes that were taken out. Returns the keys that {@link unused} left to them. */
  release(changes: FileChange[]): ChangedObject[] {
    const used = changes.flatMap(({ uploads, replaced, handedOn }) => [...uploads, ...replaced, ...handedOn]);
    return used.filter(({ storage, key }) => this.#count(storage, key, -1));
  }

  /**
   * Those objects of which no open change speaks. The others are left to those changes: whichever ends last gets them from
   * {@link release}.
   */
  unused(objects: ChangedObject[]): ChangedObject[] {
    return objects.filter(({ storage, key }) => {
      const use = this.#uses.get(locationOf(storage))?.get(key);
      if (use) use.left = true;
      return use === undefined;
    });
  }

  #begin(runner: QueryRunner, subject: object): FileChange {
    const change = { uploads: [], replaced: [], handedOn: [], done: false, doubted: false, leftOver: false };
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

  #push(list: ChangedObject[], added: ChangedObject[]): void {
    list.push(...added);
    for (const { storage, key } of added) this.#count(storage, key, 1);
  }

  /** Returns whether that was the last use of a key that was left to it. */
  #count(storage: Storage, key: string, step: 1 | -1): boolean {
    const uses = this.#uses.get(locationOf(storage)) ?? new Map<string, Use>();
    const use = uses.get(key) ?? { count: 0, left: false };
    use.count += step;
    if (use.count > 0) uses.set(key, use);
    else uses.delete(key);
    this.#uses.set(locationOf(storage), uses);
    return use.count === 0 && use.left;
  }
}

/** How many open changes speak of a key, and whether one that ended before would have had it removed. */
interface Use {
  count: number;
  left: boolean;
}
