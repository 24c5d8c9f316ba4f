import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DataSource, type DataSourceOptions } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { entities, subscribers } from "./docs/examples/site/models/models.js";

/**
 * Which database `DATABASE_URL` names: `postgres://…`, `mysql://…`, `mariadb://…` or `better-sqlite3:path`.
 * Without one it is SQLite in `var/example.sqlite`, run by sql.js, which needs neither a server nor a compiler.
 *
 * @throws Error when the URL names none that the example can use.
 */
export function dataSourceOptions(
  databaseUrl: string | undefined,
  sqlitePath = "var/example.sqlite",
): DataSourceOptions {
  const models = { entities, subscribers };
  if (!databaseUrl) return { ...models, ...sqlJsFile(sqlitePath) };
  const [scheme = "", rest = ""] = splitOnce(databaseUrl, ":");
  switch (scheme) {
    case "postgres":
    case "postgresql":
      return { ...models, type: "postgres", url: withDatabase(databaseUrl) };
    case "mysql":
    case "mariadb":
      return { ...models, type: scheme, url: withDatabase(databaseUrl) };
    case "better-sqlite3":
    case "sqlite":
      if (rest === "") throw new Error(`DATABASE_URL names no file. Write it as ${scheme}:path/to/file.sqlite.`);
      return { ...models, type: "better-sqlite3", database: rest.replace(/^\/\/(?=\/)/, "") };
    default:
      throw new Error(`DATABASE_URL: "${scheme}" is no database that the example can use. ${CHOICES}`);
  }
}

const CHOICES =
  "Use postgres://…, mysql://…, mariadb://… or better-sqlite3:path, or leave it out for SQLite in var/example.sqlite.";

function sqlJsFile(location: string) {
  return {
    type: "sqljs",
    location,
    autoSave: true,
    autoSaveCallback: (data: Uint8Array) => replace(location, data),
  } as const;
}

// sql.js hands over the whole database after each change. Two of TypeORM's own asynchronous writes could overtake each
// other, and a crash amid one would leave half a database; a rename does neither.
function replace(path: string, data: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, data);
  renameSync(`${path}.new`, path);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function withDatabase(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl) || new URL(databaseUrl).pathname.length < 2) {
    throw new Error("DATABASE_URL names no database. Write it as postgres://user:password@host:port/database.");
  }
  return databaseUrl;
}

/** What the example site, `private-files` and TypeORM's own command line work on. */
const dataSource = new DataSource(dataSourceOptions(process.env.DATABASE_URL));
export default dataSource;

/** The folder of the private files. */
export const filesRoot = process.env.FILES_ROOT || "var/private";

/** The private files of the site, for itself and for `private-files`. */
export const files = new PrivateFiles(dataSource, { storage: new DiskStorage(filesRoot) });
