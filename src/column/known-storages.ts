import type { DataSource } from "typeorm";
import { locationOf } from "../storage/location.js";
import type { ColumnStorages } from "./column-storages.js";
import type { PrivateColumn } from "./private-column.js";

/** Those of every data source of this process, as long as something else holds them. */
const known = new Set<WeakRef<ColumnStorages>>();

/** Notes where a data source keeps its files. */
export function noteStorages(storages: ColumnStorages): void {
  known.add(new WeakRef(storages));
}

/**
 * A column of another open data source of this process that keeps its files where `dataSource` does, and that `dataSource` does not
 * have itself: its rows can't be seen from there. `undefined` where there is none.
 */
export function columnOfAnotherDataSource(dataSource: DataSource, storages: ColumnStorages): PrivateColumn | undefined {
  const locations = new Set(storages.storages.map(locationOf));
  const own = new Set(storages.columns.map(({ place }) => place));
  for (const reference of known) {
    const others = reference.deref();
    if (!others) known.delete(reference);
    const other = others?.columns.find((column) => {
      const { dataSource: theirs } = column.entity;
      if (theirs === dataSource || !theirs.isInitialized || !locations.has(locationOf(others.storageOf(column))))
        return false;
      return databaseOf(theirs) !== databaseOf(dataSource) || !own.has(column.place);
    });
    if (other) return other;
  }
  return undefined;
}

/** The same value for data sources of one database, as far as their options tell. */
function databaseOf(dataSource: DataSource): unknown {
  const { type, url, host, port, socketPath, database, location, schema } = dataSource.options as Options;
  const server = url ? new URL(url) : undefined;
  const name = location ?? database ?? server?.pathname.slice(1);
  // Each database in memory is another.
  if (!name || name === ":memory:") return dataSource;
  return [type, server?.hostname ?? host, server?.port || port, socketPath, String(name), schema].join("\0");
}

/** What options of data sources say of their database; each type has some of them. */
interface Options {
  type: string;
  url?: string;
  host?: string;
  port?: number;
  socketPath?: string;
  database?: unknown;
  location?: string;
  schema?: string;
}
