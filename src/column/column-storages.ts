import { ConfigurationError } from "../errors.js";
import { locationOf } from "../storage/location.js";
import type { Storage } from "../storage/storage.js";
import type { ColumnSet } from "./column-metadata.js";
import type { PrivateColumn } from "./private-column.js";

/** Which columns of a data source keep their files in which storage. */
export class ColumnStorages {
  readonly #columns = new Map<string | Storage, [PrivateColumn, ...PrivateColumn[]]>();

  /**
   * @param defaultStorage where the files of columns are kept that have no storage of their own.
   * @throws ConfigurationError for a column that has no storage at all.
   */
  constructor(
    columns: ColumnSet,
    private readonly defaultStorage: Storage | undefined,
  ) {
    for (const column of columns) {
      const location = locationOf(this.storageOf(column));
      this.#columns.set(location, [...(this.#columns.get(location) ?? []), column] as [PrivateColumn]);
    }
  }

  /** One storage for each location, though several objects may stand for one folder. */
  get storages(): Storage[] {
    return [...this.#columns.values()].map(([column]) => this.storageOf(column));
  }

  /** The columns of all storages. */
  get columns(): PrivateColumn[] {
    return [...this.#columns.values()].flat();
  }

  /**
   * Where a column's files are kept.
   *
   * @throws ConfigurationError when neither the column nor the application has a storage.
   */
  storageOf(column: PrivateColumn): Storage {
    const storage = column.options.storage ?? this.defaultStorage;
    if (storage) return storage;
    throw new ConfigurationError(
      `${column.subject}: there is no storage for it. Give the column or PrivateFiles one, e.g. { storage: new DiskStorage("var/private") }.`,
    );
  }

  /** The columns, of all entities, that keep their files where a storage does. */
  columnsOn(storage: Storage): PrivateColumn[] {
    return this.#columns.get(locationOf(storage)) ?? [];
  }
}
