import { existsSync } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { ConfigurationError } from "../errors.js";
import { folderOf } from "../storage/location.js";
import { isWithin, nestedStorages } from "../storage/nested-storages.js";
import type { Storage } from "../storage/storage.js";
import type { Problem } from "./problem.js";

const SERVED_NAMES = new Set(["public", "static", "www", "htdocs", "public_html", "wwwroot", "html", "assets"]);

/**
 * Looks whether the folders of storages lie inside of each other, or in what a web server serves.
 *
 * @throws ConfigurationError for a static folder that is not there.
 */
export async function checkFolders(storages: Storage[], staticFolders?: string[]): Promise<Problem[]> {
  const folders = storages.flatMap((storage) => folderOf(storage) ?? []);
  const served = staticFolders && (await Promise.all(staticFolders.map(realFolder)));
  return [
    ...nestedStorages(storages).map(nested),
    ...folders.flatMap((folder) => (served ? servedIn(folder, served) : perhapsServed(folder))),
  ];
}

async function realFolder(folder: string): Promise<string> {
  try {
    const real = await realpath(folder);
    await access(`${real}${sep}.`);
    return real;
  } catch (cause) {
    throw new ConfigurationError(
      `PrivateFiles.check: the static folder "${folder}" can't be found. Give the path of a folder that is there.`,
      { cause },
    );
  }
}

function nested({ inner, outer }: { inner: string; outer: string }): Problem {
  const message = `it lies inside of the storage in ${outer}, which takes its files for orphans. Give each a folder of its own.`;
  return { code: "STORAGES_NESTED", severity: "error", subject: inner, message };
}

function servedIn(folder: string, served: string[]): Problem[] {
  return served
    .filter((one) => isWithin(folder, one) || isWithin(one, folder))
    .map((one) => ({
      code: "STORAGE_SERVED",
      severity: "error",
      subject: folder,
      message: `everybody can read files of it, as ${one} is served. Move the storage to a folder of its own.`,
    }));
}

function perhapsServed(folder: string): Problem[] {
  const suspect = withParents(folder).find(
    (one) => SERVED_NAMES.has(basename(one).toLowerCase()) || existsSync(join(one, "index.html")),
  );
  if (suspect === undefined) return [];
  const message = `${suspect} looks like a folder that a web server serves. Move the storage out of it, or name those that are served ("staticFolders", or --static).`;
  return [{ code: "STORAGE_PERHAPS_SERVED", severity: "warning", subject: folder, message }];
}

function withParents(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...withParents(parent)];
}
