import type { ColumnSet } from "../column/column-metadata.js";
import type { PrivateColumn } from "../column/private-column.js";
import { isSameStorage } from "../storage/same-storage.js";
import type { Storage } from "../storage/storage.js";

/** Which columns of a data source keep their files in which storage. */
export class ColumnStorages {
  readonly #storages = new Map<PrivateColumn, Storage>();
  readonly #columns = new Map<Storage, PrivateColumn[]>();

  /** @throws what `storageOf` throws for a column that has none. */
  constructor(columns: ColumnSet, storageOf: (column: PrivateColumn) => Storage) {
    for (const column of columns) {
      const storage = this.#known(storageOf(column));
      this.#storages.set(column, storage);
      this.#columns.set(storage, [...this.columnsOn(storage), column]);
    }
  }

  /** All storages, each once, though several objects may stand for one folder. */
  get storages(): Storage[] {
    return [...this.#columns.keys()];
  }

  /** Where a column's files are kept: of several objects that stand for one folder the same for all columns. */
  storageOf(column: PrivateColumn): Storage {
    return this.#storages.get(column)!;
  }

  /** The columns, of all entities, that keep their files in a storage. */
  columnsOn(storage: Storage): PrivateColumn[] {
    return this.#columns.get(storage) ?? [];
  }

  #known(storage: Storage): Storage {
    return this.storages.find((one) => isSameStorage(one, storage)) ?? storage;
  }
}
