import { copyFile, cp, link, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { packageFolder } from "./packages.js";
import type { Row } from "./rows.js";

const checkout = resolve(import.meta.dirname, "../../..");
const NOT_COPIED = new Set([".git", ".ci", "coverage", "node_modules", "var"]);
/** The tests compile with them. Those of Koa 3 are the project's. */
const TYPES_OF_KOA_2 = "2.15.2";

/** Makes a copy of the checkout, as it is built, whose TypeORM and Koa are those of a row. */
export async function makeRowFolder(row: Row): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-matrix-"));
  for (const name of await readdir(checkout)) {
    if (!NOT_COPIED.has(name)) await cp(join(checkout, name), join(folder, name), { recursive: true });
  }
  const modules = join(folder, "node_modules");
  await linkFiles(join(checkout, "node_modules"), modules);
  await replacePackage(folder, "typeorm", row.typeorm);
  await replacePackage(folder, "koa", row.koa);
  if (row.koa.startsWith("2.")) {
    await replacePackage(folder, "@types/koa", TYPES_OF_KOA_2);
    // They are to share the project's types of Node, of which there can be one copy.
    await rm(join(modules, "@types/koa/node_modules"), { recursive: true });
  }
  return folder;
}

/** Gives a row's folder another version of a package. */
export async function replacePackage(folder: string, name: string, version: string): Promise<void> {
  const installed = join(folder, "node_modules", name);
  await rm(installed, { recursive: true });
  await linkFiles(await packageFolder(name, version), installed);
}

/** Copies a folder of installed packages without copying the bytes, where the file system can. */
async function linkFiles(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkFiles(source, target);
    else if (entry.isFile()) await link(source, target).catch(() => copyFile(source, target));
    // npm's links in `.bin` are relative.
    else await cp(source, target, { verbatimSymlinks: true });
  }
}
