import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Beside the better-sqlite3 that `.ci/run` keeps. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "typeorm-private-files/matrix");

/**
 * The folder of a package in the version given, with all that it depends on in its own `node_modules`. npm installs it once,
 * outside of the checkout.
 */
export async function packageFolder(name: string, version: string): Promise<string> {
  const kept = join(cache, `${name.replace("/", "+")}-${version}-${process.platform}-${process.arch}`);
  if (!existsSync(kept)) await install(name, version, kept);
  return join(kept, "node_modules", name);
}

/** The program of a version of Node, from npm's package of it. */
export async function nodeProgram(version: string): Promise<string> {
  return join(await packageFolder("node", version), "bin", process.platform === "win32" ? "node.exe" : "node");
}

/** A folder gets the name that is looked for when it is complete. */
async function install(name: string, version: string, kept: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "installing-"));
  try {
    await writeFile(join(folder, "package.json"), '{ "private": true }');
    await promisify(execFile)("npm", [...INSTALL, `${name}@${version}`], { cwd: folder });
    // Another run may have been faster; its folder is as good.
    await rename(folder, kept).catch((error) => {
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const INSTALL = [
  "install",
  // A row may try what package.json or the package itself does not allow.
  ...["--engine-strict=false", "--install-strategy=nested", "--legacy-peer-deps"],
  ...["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--prefer-offline"],
];
