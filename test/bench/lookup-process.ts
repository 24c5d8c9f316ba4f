// What it takes to load an entity, and what the driver alone takes for the same statement. Its arguments: the kind of database, a
// folder for itself.
import { join } from "node:path";
import type { Context } from "koa";
import type { DataSource, Logger } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { EntityLoader } from "../../src/download/load.js";
import { Locator } from "../../src/download/locate.js";
import { insertOthers, model, saveDocument } from "./document.js";
import type { Lookup } from "./lookup.js";
import { type DatabaseName, openDatabase } from "./open-database.js";
import { median } from "./statistics.js";

/** How often both are measured in turn, the first time unmeasured. */
const BATCHES = 25;
const CALLS = 400;
/** The rows that nobody asks for. */
const OTHERS = 100;

interface Pool {
  query(text: string, values: unknown[]): Promise<unknown>;
}

interface SqliteConnection {
  prepare(text: string): { all(...values: unknown[]): unknown[] };
}

interface Statement {
  text: string;
  values: unknown[];
}

const [database, folder] = process.argv.slice(2) as [DatabaseName, string];
// It takes seconds, and drops its database at the end.
process.on("SIGINT", () => {});
const { dataSource, close } = await openDatabase(database, folder, model);
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) });
await insertOthers(dataSource, OTHERS);
const load = loading(dataSource, await saveDocument(files, "wanted", Buffer.from("wanted")));
const query = driverQuery(dataSource, await statementOf(dataSource, load));
if (!(await load()) || !(await query())) throw new Error("There is no such row.");
const batches = [];
for (let batch = 0; batch <= BATCHES; batch++) batches.push({ load: await time(load), driver: await time(query) });
await close();
process.send!(summary(batches.slice(1)));
process.disconnect();

function loading(dataSource: DataSource, url: string): () => Promise<unknown> {
  const loader = new EntityLoader(dataSource);
  const [entity, property, ...rest] = url.split("/").slice(2) as [string, string, ...string[]];
  const location = new Locator(dataSource, [...ColumnSet.of(dataSource)]).locate(entity, property, rest.join("/"))!;
  return () => loader.load(location, {} as Context);
}

/** What TypeORM says that it asks. */
async function statementOf(dataSource: DataSource, load: () => Promise<unknown>): Promise<Statement> {
  const { logger } = dataSource;
  const statements: Statement[] = [];
  const logQuery = (text: string, values: unknown[] = []) => statements.push({ text, values });
  dataSource.logger = { logQuery } as unknown as Logger;
  await load();
  dataSource.logger = logger;
  if (statements.length !== 1) throw new Error(`Loading an entity takes ${statements.length} statements.`);
  return statements[0]!;
}

/** The way of each driver that its users take: a pool, or a prepared statement. */
function driverQuery({ driver }: DataSource, { text, values }: Statement): () => unknown {
  if (database === "PostgreSQL") {
    const { master } = driver as unknown as { master: Pool };
    return () => master.query(text, values);
  }
  const { databaseConnection } = driver as unknown as { databaseConnection: SqliteConnection };
  const prepared = databaseConnection.prepare(text);
  return () => prepared.all(...values);
}

/** The seconds that a call takes. */
async function time(call: () => unknown): Promise<number> {
  const began = performance.now();
  for (let made = 0; made < CALLS; made++) await call();
  return (performance.now() - began) / 1000 / CALLS;
}

function summary(batches: { load: number; driver: number }[]): Lookup {
  return {
    database,
    server: dataSource.driver.version,
    load: median(batches.map(({ load }) => load)),
    driver: median(batches.map(({ driver }) => driver)),
    ratio: median(batches.map(({ load, driver }) => load / driver)),
  };
}
