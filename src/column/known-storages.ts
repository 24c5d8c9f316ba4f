import type { ColumnStorages } from "./column-storages.js";

const known = new Set<WeakRef<ColumnStorages>>();

/** Notes where a data source keeps its files. */
export function noteStorages(storages: ColumnStorages): void {
  known.add(new WeakRef(storages));
}

/** Where the data sources of this process keep their files, as long as something else holds them. */
export function knownStorages(): ColumnStorages[] {
  return [...known].flatMap((reference) => {
    const storages = reference.deref();
    if (!storages) known.delete(reference);
    return storages ?? [];
  });
}
