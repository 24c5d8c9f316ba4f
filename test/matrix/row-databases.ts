import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { chosenDatabases } from "../support/requirements.js";

/** The databases that a row runs on, and why it leaves the others out. */
export interface RowDatabases {
  used: string[];
  /** Sentences. */
  leftOut: string[];
}

/** Looks which databases there are for the Node and the TypeORM of a row. */
export async function findDatabases(folder: string, node: string): Promise<RowDatabases> {
  const reasons: Record<string, string | undefined> = {
    "sql.js": undefined,
    "better-sqlite3": await betterSqlite3Fault(folder, node),
    PostgreSQL: process.env.TEST_POSTGRES_URL ? undefined : "PostgreSQL: TEST_POSTGRES_URL is not set.",
    MariaDB: process.env.TEST_MARIADB_URL ? undefined : "MariaDB: TEST_MARIADB_URL is not set.",
  };
  const chosen = chosenDatabases() ?? Object.keys(reasons);
  const found = Object.entries(reasons).filter(([name]) => chosen.includes(name));
  return {
    used: found.flatMap(([name, reason]) => (reason === undefined ? name : [])),
    leftOut: found.flatMap(([, reason]) => reason ?? []),
  };
}

/** Its binary is built for one version of Node, and each version of TypeORM takes some of its versions. */
async function betterSqlite3Fault(folder: string, node: string): Promise<string | undefined> {
  const manifest = (name: string) =>
    readFile(join(folder, "node_modules", name, "package.json"), "utf8").then(JSON.parse);
  const own = await manifest("better-sqlite3").catch(() => undefined);
  if (!own) return "better-sqlite3 is not installed.";
  const { version, peerDependencies } = await manifest("typeorm");
  const range: string = peerDependencies["better-sqlite3"];
  const major = own.version.split(".", 1);
  if (!range.includes(`^${major}.`)) return `TypeORM ${version} takes better-sqlite3 ${range}, not ${own.version}.`;
  const open = 'new (require("better-sqlite3"))(":memory:")';
  const opens = promisify(execFile)(node, ["-e", open], { cwd: folder });
  return opens.then(
    () => undefined,
    () => "better-sqlite3 was built for another Node.",
  );
}
