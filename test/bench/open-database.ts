import { createRequire } from "node:module";
import { join } from "node:path";
import { DataSource } from "typeorm";
import { type Model, type OpenDatabase, postgres } from "../support/databases.js";

/** A kind of database that the package is measured on. */
export type DatabaseName = "better-sqlite3" | "PostgreSQL";

// Beside the peers, as it takes minutes to compile and the package does not depend on it.
const requireOfPeers = createRequire(new URL("../../../test/bench/peers/package.json", import.meta.url));

/** Why that kind can't be had here, if so. */
export function missingDatabase(name: DatabaseName): string | undefined {
  return name === "PostgreSQL" ? postgres.skip || undefined : undefined;
}

/**
 * Opens an empty database, which `close` drops.
 *
 * @param folder where a file of it may be; whoever made that removes it.
 */
export async function openDatabase(name: DatabaseName, folder: string, model: Model): Promise<OpenDatabase> {
  if (name === "PostgreSQL") return postgres.open(model);
  const dataSource = new DataSource({
    ...model,
    type: "better-sqlite3",
    driver: requireOfPeers("better-sqlite3"),
    database: join(folder, "bench.sqlite"),
    enableWAL: true,
    synchronize: true,
  });
  await dataSource.initialize();
  return { dataSource, close: () => dataSource.destroy() };
}
