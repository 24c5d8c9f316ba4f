import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { DataSource } from "typeorm";
import { type Model, type OpenDatabase, postgres, sqljs } from "../support/databases.js";

/** The names under which processes are told their database. */
export type DatabaseName = "SQLite" | "PostgreSQL";

interface Sqlite {
  name: string;
  version?: string;
  /** The module of better-sqlite3. */
  driver?: unknown;
}

/** The SQLite driver to measure on: better-sqlite3 where it has been built, or else sql.js. */
export const sqlite: Sqlite = findBetterSqlite3() ?? { name: "sql.js" };

/** Why a database is missing here, if it is. */
export function missingDatabase(name: DatabaseName): string | undefined {
  return name === "PostgreSQL" ? postgres.skip || undefined : undefined;
}

/**
 * Opens an empty database, which `close` drops.
 *
 * @param folder where SQLite may keep a file; the caller removes it.
 */
export async function openDatabase(name: DatabaseName, folder: string, model: Model): Promise<OpenDatabase> {
  if (name === "PostgreSQL") return postgres.open(model);
  const { driver } = sqlite;
  if (!driver) return sqljs.open(model);
  const database = join(folder, "bench.sqlite");
  const dataSource = new DataSource({
    ...{ ...model, type: "better-sqlite3", driver, database, enableWAL: true, synchronize: true },
  });
  await dataSource.initialize();
  return { dataSource, close: () => dataSource.destroy() };
}

/** Looks for the build that `.ci/better-sqlite3.sh` keeps, then in node_modules. */
function findBetterSqlite3(): Sqlite | undefined {
  for (const from of [...keptBuilds(), import.meta.filename]) {
    try {
      const requireThere = createRequire(from);
      const driver = requireThere("better-sqlite3");
      // The binary is loaded by the first database.
      new driver(":memory:").close();
      return { name: "better-sqlite3", version: requireThere("better-sqlite3/package.json").version, driver };
    } catch {}
  }
  return undefined;
}

function keptBuilds(): string[] {
  const { XDG_CACHE_HOME: cache = join(homedir(), ".cache") } = process.env;
  const folder = join(cache, "typeorm-private-files");
  const suffix = `-abi${process.versions.modules}-${process.platform}-${process.arch}`;
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith("better-sqlite3-") && name.endsWith(suffix));
    return names.map((name) => join(folder, name, "package.json"));
  } catch {
    return [];
  }
}
