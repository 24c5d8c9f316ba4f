import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataSource, type DataSourceOptions, type EntitySchema, type MixedList } from "typeorm";
import { withoutDatabase } from "./requirements.js";
import { describe } from "./suite.js";

/** What a test's data source is made of. */
export interface Model {
  entities: MixedList<(new () => object) | EntitySchema>;
  subscribers?: (new () => object)[];
}

/** A data source with an empty database of its own, which `close` drops. */
export interface OpenDatabase {
  dataSource: DataSource;
  close(): Promise<void>;
}

/** A kind of database that tests run on. */
export interface TestDatabase {
  name: string;
  /** Why the tests on it are skipped, where they are. */
  skip?: string | false;
  open(model: Model): Promise<OpenDatabase>;
}

/** sql.js, which is always there. For what does not depend on the database. */
export const sqljs: TestDatabase = {
  name: "sql.js",
  open: (model) => initialize({ type: "sqljs" }, model),
};

/** SQLite in a file, which several processes can have open. */
export const betterSqlite3: TestDatabase = betterSqlite3InFile();

/** The server that `TEST_POSTGRES_URL` names. */
export const postgres: TestDatabase = postgresServer();

/** The server that `TEST_MARIADB_URL` names. */
export const mariadb: TestDatabase = mariadbServer();

/** All kinds of databases, whether they are here or not. */
export const databases: TestDatabase[] = [sqljs, betterSqlite3, postgres, mariadb];

/** The kinds that the crash tests run on. */
export const sharedDatabases: TestDatabase[] = [betterSqlite3, postgres, mariadb];

/** Runs the same tests on each kind of database, or skips them. */
export function describeOnEachDatabase(
  title: string,
  define: (database: TestDatabase) => void,
  kinds: TestDatabase[] = databases,
): void {
  for (const database of kinds) {
    describe(`${title} on ${database.name}`, { skip: database.skip }, () => define(database));
  }
}

/** The same database once more, with other entities or signed in as another user. Its tables are left as they are. */
export async function reopen(dataSource: DataSource, changes: object): Promise<DataSource> {
  const content = dataSource.options.type === "sqljs" ? { database: dataSource.sqljsManager.exportDatabase() } : {};
  const options = { ...dataSource.options, ...content, ...changes, synchronize: false } as DataSourceOptions;
  return new DataSource(options).initialize();
}

function betterSqlite3InFile(): TestDatabase {
  return {
    name: "better-sqlite3",
    skip: withoutDatabase("better-sqlite3", false),
    async open(model) {
      const folder = await mkdtemp(join(tmpdir(), "private-files-"));
      const options = { type: "better-sqlite3", database: join(folder, "test.sqlite"), enableWAL: true } as const;
      return initialize(options, model, () => rm(folder, { recursive: true }));
    },
  };
}

function postgresServer(): TestDatabase {
  const url = process.env.TEST_POSTGRES_URL;
  return {
    name: "PostgreSQL",
    skip: withoutDatabase("PostgreSQL", Boolean(url)),
    open: (model) => openOnServer({ type: "postgres", url }, model),
  };
}

function mariadbServer(): TestDatabase {
  const url = process.env.TEST_MARIADB_URL;
  return {
    name: "MariaDB",
    skip: withoutDatabase("MariaDB", Boolean(url)),
    open: (model) => openOnServer({ type: "mariadb", url }, model),
  };
}

async function openOnServer(options: { type: "postgres" | "mariadb"; url?: string }, model: Model) {
  const server = await new DataSource(options).initialize();
  const name = `private_files_${randomBytes(8).toString("hex")}`;
  await server.query(`CREATE DATABASE ${name}`);
  const url = new URL(options.url!);
  url.pathname = `/${name}`;
  return initialize({ ...options, url: url.href }, model, async () => {
    await server.query(`DROP DATABASE ${name}`);
    await server.destroy();
  });
}

async function initialize(
  options: DataSourceOptions,
  { entities, subscribers = [] }: Model,
  cleanUp?: () => Promise<void>,
): Promise<OpenDatabase> {
  const dataSource = new DataSource({ ...options, entities, subscribers, synchronize: true } as DataSourceOptions);
  await dataSource.initialize();
  const close = async () => {
    await dataSource.destroy();
    await cleanUp?.();
  };
  return { dataSource, close };
}
