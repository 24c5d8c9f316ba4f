import { createRequire } from "node:module";
import { join } from "node:path";
import { DataSource } from "typeorm";
import { type Model, type OpenDatabase, postgres } from "../support/databases.js";

/** A kind of database that the package is measured on. */
export type DatabaseName = "better-sqlite3" | "PostgreSQL";

/** Beside what the peers need: it takes minutes to compile, and is no dependency of the package. */
const requireOfPeers = createRequire(new URL("../../../test/bench/peers/package.json", import.meta.url));

/** Why that kind can't be had here, if so. */
export function missing(name: DatabaseName): string | undefined {
  return name === "PostgreSQL" ? postgres.missing : undefined;
}

/**
 * Opens an empty database, which `close` drops.
 *
 * @param folder where a file of it may be.
 */
export async function openDatabase(name: DatabaseName, folder: string, model: Model): Promise<OpenDatabase> {
  if (name === "PostgreSQL") return postgres.open(model);
  const dataSource = new DataSource({
    type: "better-sqlite3",
    driver: requireOfPeers("better-sqlite3"),
    database: join(folder, "bench.sqlite"),
    enableWAL: true,
    synchronize: true,
    entities: model.entities,
    subscribers: model.subscribers,
  });
  await dataSource.initialize();
  return { dataSource, close: () => dataSource.destroy() };
}
