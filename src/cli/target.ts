import type { DataSource } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import { knownStorages } from "../column/known-storages.js";
import { folderOf } from "../storage/location.js";

/** Names a database: its type, its name or file, and its host and port. Never a user or a password. */
export function databaseOf({ options, driver }: DataSource): string {
  const { url, ...direct } = masterOf(options);
  const { host, port, database } = { ...(url === undefined ? {} : partsOf(url)), ...given(direct) };
  const name = database ?? direct.location ?? driver?.database;
  const place = host === undefined ? "" : ` on ${host}${port === undefined ? "" : `:${port}`}`;
  return `${options.type}${typeof name === "string" && name !== "" ? ` "${name}"` : ""}${place}`;
}

/** The database and the folders that a report covers, as a part of its JSON. */
export function targetOf(dataSource: DataSource): { database: string; folders: string[] } {
  return { database: databaseOf(dataSource), folders: foldersOf(dataSource) };
}

/** The database and the folders that a report covers, as a line of text. */
export function targetLine(dataSource: DataSource): string {
  const { database, folders } = targetOf(dataSource);
  return `Database: ${database}.${folders.length > 0 ? ` Files: ${folders.join(", ")}.` : ""}`;
}

/** The folders of this machine that have a data source's files. A storage elsewhere has none. */
function foldersOf(dataSource: DataSource): string[] {
  const storages = knownStorages()
    .filter(({ columns: [column] }) => column && dataSourceOf(column.entity) === dataSource)
    .flatMap((known) => known.storages);
  return [...new Set(storages.flatMap((storage) => folderOf(storage) ?? []))];
}

/** Connection options that drivers have in common. */
interface Place {
  url?: string;
  host?: string;
  port?: number | string;
  database?: unknown;
  location?: unknown;
}

function masterOf(options: object): Place {
  const { replication } = options as { replication?: { master?: Place } };
  return { ...(options as Place), ...replication?.master };
}

function partsOf(url: string): Place {
  if (!URL.canParse(url)) return {};
  const { hostname, port, pathname } = new URL(url);
  return given({ host: hostname || undefined, port: port || undefined, database: pathname.slice(1) || undefined });
}

function given(place: Place): Place {
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined));
}
