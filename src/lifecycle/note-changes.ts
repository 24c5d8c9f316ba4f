import type { ObjectLiteral, QueryRunner } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { type Origin, originOf, type PrivateFile } from "../column/private-file.js";
import { keyColumns } from "../database/named-keys.js";
import { isNamed, keysOfRow, Turns } from "../database/row-keys.js";
import { PrivateFileError } from "../errors.js";
import type { ChangedObject } from "./pending-changes.js";
import { type SettlingOptions, settle } from "./settle.js";

/** Notes what statements are about to do to files, and that they are done. */
export class ChangeNotes {
  readonly #turns = new Turns();

  constructor(private readonly options: SettlingOptions) {}

  /**
   * Notes the uploads among the values that a statement writes. What rows named before is not known.
   *
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_DISCARDED` when a value names a file that is gone.
   */
  values(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[]): Promise<void> | undefined {
    this.#addUploads(runner, entity, columns);
    const unknown = this.#addStored(runner, entity, columns);
    if (unknown.length === 0) return undefined;
    return this.#turns.take(runner, () => this.#assertNamed(runner, entity, unknown));
  }

  /**
   * Notes what an update of one row writes, and what the row names now.
   *
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_DISCARDED` when a value names a file that is gone.
   */
  update(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    this.#addUploads(runner, entity, columns);
    const unknown = this.#addStored(runner, entity, columns);
    return this.#turns.take(runner, async () => {
      const keys = await keysOfRow(runner, columns, id);
      const changed = columns.filter((column, index) => column.fileOf(entity)?.key !== keys?.[index]);
      const replaced = this.#stored(columns, keys).filter(({ column }) => changed.includes(column));
      this.options.pending.add(runner, entity, { replaced, row: rowOf(columns, id), doubted: keys === undefined });
      await this.#assertNamed(
        runner,
        entity,
        unknown.filter((column) => changed.includes(column)),
      );
    });
  }

  /** Notes what a row names that is about to be removed. `subject` is its entity, or its primary key where that is not loaded. */
  removal(runner: QueryRunner, subject: object, columns: PrivateColumn[], id: ObjectLiteral): Promise<void> {
    return this.#turns.take(runner, async () => {
      const replaced = this.#stored(columns, await keysOfRow(runner, columns, id));
      this.options.pending.add(runner, subject, { replaced, row: rowOf(columns, id) });
    });
  }

  /** Notes the uploads that other subscribers put into an entity while its statement was made. */
  late(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[]): void {
    this.#addUploads(runner, entity, columns);
  }

  /** Notes that a statement was carried out. Without a transaction that is the end of it. */
  done(runner: QueryRunner, subject: object): Promise<void> | undefined {
    const change = this.options.pending.find(runner, subject);
    if (!change) return undefined;
    change.done = true;
    if (runner.isTransactionActive) return undefined;
    return settle(
      this.options,
      runner,
      this.options.pending.take(runner, (one) => one === change),
    );
  }

  #addUploads(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[]): void {
    const known = this.options.pending.find(runner, entity)?.uploads ?? [];
    const uploads = columns.flatMap((column): ChangedObject[] => {
      const file = column.fileOf(entity);
      if (!hasOrigin(file, "attached") || known.some((upload) => upload.file === file)) return [];
      return [{ file, ...this.#objectOf(column, entity) }];
    });
    this.options.pending.add(runner, entity, { uploads });
  }

  #stored(columns: PrivateColumn[], keys: (string | null)[] = []): (ChangedObject & { column: PrivateColumn })[] {
    return columns.flatMap((column, index) => {
      const key = keys[index];
      return key ? [{ column, key, storage: this.options.storages.storageOf(column) }] : [];
    });
  }

  /**
   * A row may name what another one names, or named until this very transaction; when that has ended, it is looked at again.
   * Returns the columns with a value of which it is not known yet whether a row names it.
   */
  #addStored(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[]): PrivateColumn[] {
    const { pending } = this.options;
    const stored = columns.filter((column) => hasOrigin(column.fileOf(entity), "stored"));
    const unknown = stored.filter((column) => !pending.isReplaced(runner, this.#objectOf(column, entity)));
    if (runner.isTransactionActive) {
      pending.add(runner, entity, { handedOn: stored.map((column) => this.#objectOf(column, entity)) });
    }
    return unknown;
  }

  #objectOf(column: PrivateColumn, entity: ObjectLiteral): ChangedObject {
    return { key: column.fileOf(entity)!.key, storage: this.options.storages.storageOf(column) };
  }

  async #assertNamed(runner: QueryRunner, entity: ObjectLiteral, columns: PrivateColumn[]): Promise<void> {
    for (const column of columns) {
      const { key, storage } = this.#objectOf(column, entity);
      if (!(await isNamed(runner, keyColumns(this.options.storages.columnsOn(storage)), key))) throw gone(column);
    }
  }
}

function hasOrigin(file: PrivateFile | undefined, origin: Origin): file is PrivateFile {
  return file !== undefined && originOf(file) === origin;
}

/** The same text for the same row, whether its key is a number, a text or a BigInt. */
function rowOf([column]: PrivateColumn[], id: ObjectLiteral): string {
  const key = JSON.stringify(id, (_, value) => (typeof value === "object" ? value : String(value)));
  return `${column?.entity.tablePath} ${key}`;
}

function gone(column: PrivateColumn): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_DISCARDED",
    `${column.subject}: no row names this file any more; it was replaced or removed since it was loaded. Load the entity again before you save it.`,
  );
}
