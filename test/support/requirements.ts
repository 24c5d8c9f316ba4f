import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Whether all tests run, as in `.ci/run`: where `TEST_ALL` is set. Tests whose server or program is missing fail then. */
export const all = Boolean(process.env.TEST_ALL);

/** Why tests are skipped that take long, or that repeat for another delivery what others show; `false` where they run. */
export const takesLong: string | false = all ? false : "that take long";

/** Why tests are skipped that need a server; `false` where they run. */
export function without(server: string): string | false {
  return all ? false : `without ${server}`;
}

const DATABASES = ["sql.js", "better-sqlite3", "PostgreSQL", "MariaDB"];

/** The databases that `TEST_DATABASES` names, where it is set. sql.js is among them whether it is named or not. */
export function chosenDatabases(): string[] | undefined {
  const named = process.env.TEST_DATABASES?.split(",");
  const unknown = named?.find((name) => !DATABASES.includes(name));
  if (unknown !== undefined) throw new Error(`TEST_DATABASES: unknown database "${unknown}". Use ${DATABASES.join()}.`);
  return named && [...new Set(["sql.js", ...named])];
}

/** Why the tests on a database are skipped; `false` where they run: on one that `TEST_DATABASES` names they fail if it is missing. */
export function withoutDatabase(name: string, isHere: boolean): string | false {
  const chosen = chosenDatabases();
  if (chosen) return !chosen.includes(name) && `on ${name}, which TEST_DATABASES does not name`;
  return !isHere && without(name);
}

/** Why tests are skipped that run these programs; `false` where they run. */
export function needs(...programs: string[]): string | false {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length > 0 && without(missing.join(" and "));
}

/**
 * The Python that has these modules: of those in the path, or Debian's own, to which its packages of modules belong. Starts
 * each of them.
 */
export function pythonWith(...modules: string[]): string | undefined {
  const pythons = inFolders("python3", "/usr/bin");
  return pythons.find((python) => spawnSync(python, ["-c", `import ${modules}`], { stdio: "ignore" }).status === 0);
}

/** Whether a program is in the path, or where Debian keeps servers. */
export function isInstalled(program: string): boolean {
  return inFolders(program, "/usr/sbin").length > 0;
}

function inFolders(program: string, ...more: string[]): string[] {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...more];
  return [...new Set(folders)].map((folder) => join(folder, program)).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
