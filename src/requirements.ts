import * as typeorm from "typeorm";
import { ConfigurationError } from "./errors.js";
import { installedVersion, isOlder } from "./version.js";

/** The oldest versions that work. */
const OLDEST = { typeorm: "0.3.20", koa: "2.16.0" } as const;

/** TypeORM sends its events of statements on this driver since this version. */
const BETTER_SQLITE3 = "0.3.21";

/** Drivers for which TypeORM sends no events of statements. */
const SILENT_DRIVERS = ["aurora-mysql", "aurora-postgres", "capacitor", "nativescript"];

/**
 * Checks that the package works with the versions of TypeORM and Koa that are installed, and with a data source. Reads two small files
 * once in a process.
 *
 * @throws ConfigurationError if it does not.
 */
export function checkRequirements(dataSource: typeorm.DataSource): void {
  versions ??= checkVersions();
  const problem = versions.problem ?? problemOf(dataSource, versions.typeorm);
  if (problem) throw new ConfigurationError(`PrivateFiles: ${problem}`);
}

let versions: { typeorm?: string; problem?: string } | undefined;

function checkVersions(): NonNullable<typeof versions> {
  const [orm, koa] = [installedVersion("typeorm"), installedVersion("koa")];
  if (orm && isOlder(orm, OLDEST.typeorm)) return { problem: tooOld("TypeORM", orm, OLDEST.typeorm) };
  if (koa && isOlder(koa, OLDEST.koa)) return { problem: tooOld("Koa", koa, OLDEST.koa) };
  return { typeorm: orm };
}

function tooOld(name: string, version: string, oldest: string): string {
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
  if (SILENT_DRIVERS.includes(type)) {
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
