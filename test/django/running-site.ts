import { DataSource, type DataSourceOptions } from "typeorm";
import { DiskStorage, type DiskStorageOptions } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { databases, type TestDatabase } from "../support/databases.js";
import { describe } from "../support/suite.js";
import { type DjangoSite, makeDjangoSite } from "./django-site.js";
import { Attachment, CountedDownload, DownloadCounter, FileSubmission, User } from "./models.js";

/** An application on the table and the folder that Django filled. */
export interface RunningSite extends DjangoSite, Pick<Application, "dataSource" | "files" | "get" | "errors"> {
  storage: DiskStorage;
  /** The row of that id. */
  submission(id: number): Promise<FileSubmission>;
  /** The text in the column, as another program reads it from the database's file. */
  storedText(id: number): Promise<string | null>;
}

/** Starts an application on a site of its own, which is gone after the test. */
export type StartSite = (
  t: { after(fn: () => Promise<void>): void },
  options?: DiskStorageOptions,
) => Promise<RunningSite>;

/** Runs the same tests with each driver that opens a file that SQLite wrote. */
export function describeOnDjangoSite(title: string, define: (start: StartSite) => void): void {
  for (const database of databases.filter((one) => one.name in DRIVERS)) {
    const { name } = database;
    describe(`${title}, opened by ${name},`, { skip: database.skip }, () =>
      define((t, options) => start(t, name, options)),
    );
  }
}

const DRIVERS: Record<string, (database: string) => DataSourceOptions> = {
  "sql.js": (location) => ({ type: "sqljs", location, autoSave: true }),
  "better-sqlite3": (database) => ({ type: "better-sqlite3", database }),
};

async function start(
  t: { after(fn: () => Promise<void>): void },
  driver: string,
  options?: DiskStorageOptions,
): Promise<RunningSite> {
  const site = await makeDjangoSite();
  const storage = new DiskStorage(site.mediaRoot, options);
  const { dataSource, files, get, errors, close } = await startApplication({
    entities: [User, FileSubmission, Attachment, CountedDownload],
    subscribers: [DownloadCounter],
    options: { storage },
    database: existing(driver, site),
  });
  t.after(async () => {
    await close();
    await site.remove();
  });
  return {
    ...site,
    ...{ storage, dataSource, files, get, errors },
    submission: (id) => dataSource.manager.findOneOrFail(FileSubmission, { where: { id }, relations: { owner: true } }),
    storedText: (id) => readText(site, id),
  };
}

function existing(driver: string, { database }: DjangoSite): TestDatabase {
  return {
    name: driver,
    async open({ entities, subscribers }) {
      const options = { ...DRIVERS[driver]!(database), entities, subscribers, synchronize: false } as DataSourceOptions;
      const dataSource = await new DataSource(options).initialize();
      return { dataSource, close: () => dataSource.destroy() };
    },
  };
}

async function readText({ database }: DjangoSite, id: number): Promise<string | null> {
  const reader = await new DataSource({ type: "sqljs", location: database }).initialize();
  const [row] = await reader.query(`SELECT "uploaded_file" FROM "app_filesubmission" WHERE "id" = ?`, [id]);
  await reader.destroy();
  return row.uploaded_file;
}
