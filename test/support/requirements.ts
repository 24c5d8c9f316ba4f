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

/** Why tests are skipped that run these programs; `false` where they run. */
export function needs(...programs: string[]): string | false {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length > 0 && without(missing.join(" and "));
}

/** Whether a program is in the path, or where Debian keeps servers. */
export function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders, "/usr/sbin"].some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
