import * as typeorm from "typeorm";
import { ConfigurationError } from "./errors.js";
import { isOlder, loadedVersions } from "./version.js";

/** The oldest versions that work. */
const OLDEST = { typeorm: "0.3.20", koa: "2.16.0" } as const;

/** Since this version TypeORM sends them for better-sqlite3. */
const BETTER_SQLITE3 = "0.3.21";

/** Drivers for which TypeORM sends neither `beforeQuery` nor `afterQuery`. */
const WITHOUT_QUERY_EVENTS = ["aurora-mysql", "aurora-postgres", "capacitor", "nativescript"];

/**
 * Checks that the package works with a data source, and with the version of TypeORM, as far as it is known. Reads a small file each time.
 *
 * @throws ConfigurationError if it does not.
 */
export function checkDataSource(dataSource: typeorm.DataSource): void {
  // TypeORM 0.2 does not export it.
  const [version] = loadedVersions("typeorm/index.js", ({ DataSource }) => DataSource === typeorm.DataSource);
  refuse(tooOld("TypeORM", version, OLDEST.typeorm) ?? problemOf(dataSource, version));
}

/**
 * Checks that the package works with the Koa that is loaded, as far as its version is known. Call it when the application has Koa: other
 * libraries may have loaded another one. Reads a small file each time.
 *
 * @throws ConfigurationError if it does not.
 */
export function checkKoa(): void {
  const versions = loadedVersions("koa/lib/application.js");
  const version = versions.find((one) => !isOlder(one, OLDEST.koa)) ?? versions[0];
  refuse(tooOld("Koa", version, OLDEST.koa));
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new ConfigurationError(`PrivateFiles: ${problem}`);
}

function tooOld(name: string, version: string | undefined, oldest: string): string | undefined {
  if (version === undefined || !isOlder(version, oldest)) return undefined;
  return `${name} ${version} is too old. Install ${name} ${oldest} or newer.`;
}

function problemOf(dataSource: unknown, version: string | undefined): string | undefined {
  if (!(dataSource instanceof typeorm.DataSource)) {
    return isDataSource(dataSource)
      ? 'the data source is of another copy of TypeORM. Install TypeORM once: "npm ls typeorm" shows where it is.'
      : "expected a DataSource of TypeORM as the first argument. Give the one that has the entities.";
  }
  const { type } = dataSource.options;
  if (type === "mongodb") return "MongoDB is not supported. Use a data source with a SQL database.";
  if (WITHOUT_QUERY_EVENTS.includes(type)) {
    return `TypeORM's driver "${type}" does not announce statements, by which files follow their rows. Use another driver.`;
  }
  if (type === "better-sqlite3" && version && isOlder(version, BETTER_SQLITE3)) {
    return `TypeORM ${version} does not announce statements on better-sqlite3, by which files follow their rows. Install TypeORM ${BETTER_SQLITE3} or newer.`;
  }
  return undefined;
}

/** Whether an object says that it is one, as TypeORM's objects do. */
function isDataSource(value: unknown): boolean {
  return (value as { "@instanceof"?: symbol } | null | undefined)?.["@instanceof"] === Symbol.for("DataSource");
}
