import { randomBytes } from "node:crypto";
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataSource, type DataSourceOptions } from "typeorm";
import { betterSqlite3, postgres } from "../../support/databases.js";

/** A kind of database that Django migrates and TypeORM opens. */
export interface DjangoDatabases {
  name: string;
  skip?: string | false;
  /** Opens what is needed to make databases; those on disk are below `folder`. */
  open(folder: string): Promise<Databases>;
}

/** Makes, copies and drops databases, which have names as Django's settings say them. */
export interface Databases {
  create(): Promise<string>;
  copy(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  close(): Promise<void>;
  /** Django's setting. */
  forDjango(name: string): Record<string, unknown>;
  forTypeorm(name: string): DataSourceOptions;
}

/** The kinds that both know: SQLite in a file, and the server that `TEST_POSTGRES_URL` names. */
export const djangoDatabases: DjangoDatabases[] = [
  { name: "SQLite", skip: betterSqlite3.skip, open: openSqlite },
  { name: "PostgreSQL", skip: postgres.skip, open: openPostgres },
];

async function openSqlite(folder: string): Promise<Databases> {
  const newName = () => join(folder, `${randomName()}.sqlite3`);
  return {
    create: async () => newName(),
    async copy(name) {
      const copied = newName();
      await copyFile(name, copied);
      return copied;
    },
    drop: (name) => rm(name, { force: true }),
    close: async () => {},
    forDjango: (name) => ({ ENGINE: "django.db.backends.sqlite3", NAME: name }),
    forTypeorm: (database) => ({ type: "better-sqlite3", database }),
  };
}

async function openPostgres(): Promise<Databases> {
  const url = new URL(process.env.TEST_POSTGRES_URL!);
  const server = await new DataSource({ type: "postgres", url: url.href }).initialize();
  async function create(template = "template1"): Promise<string> {
    const name = randomName();
    await server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    return name;
  }
  return {
    create: () => create(),
    copy: create,
    drop: (name) => server.query(`DROP DATABASE ${name}`),
    close: () => server.destroy(),
    forDjango: (name) => ({
      ...{ ENGINE: "django.db.backends.postgresql", NAME: name, HOST: url.hostname, PORT: url.port },
      ...{ USER: decodeURIComponent(url.username), PASSWORD: decodeURIComponent(url.password) },
    }),
    forTypeorm: (name) => ({ type: "postgres", url: Object.assign(new URL(url), { pathname: `/${name}` }).href }),
  };
}

function randomName(): string {
  return `private_files_${randomBytes(8).toString("hex")}`;
}
