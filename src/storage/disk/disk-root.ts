import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, parse, resolve } from "node:path";
import { ConfigurationError } from "../../errors.js";
import { quoted, shown } from "../../quoted.js";
import { codeOf } from "./disk-error.js";

/**
 * The real path of a storage's root, which is made with its parents where it is missing.
 *
 * @throws ConfigurationError when it can't be made, is no folder, or is the whole file system.
 */
export function pinRoot(root: string, mode: number): string {
  if (typeof root !== "string" || root === "") {
    throw new ConfigurationError(
      `DiskStorage: "root" must be the path of a folder, got ${shown(root)}. Give one such as "var/private".`,
    );
  }
  try {
    makeFolders(resolve(root), mode);
    const real = realpathSync.native(resolve(root));
    if (real !== parse(real).root) return real;
  } catch (error) {
    const reason = codeOf(error) ?? "an error";
    const problem = `DiskStorage: ${quoted(root)} can't be used: ${reason}. Give a folder that this process may write to.`;
    throw new ConfigurationError(problem, { cause: error });
  }
  throw new ConfigurationError(`DiskStorage: ${quoted(root)} is the whole file system. Give a folder of its own.`);
}

/** Node's own `recursive` never returns where the system answers ENOENT though the parent is there, as below `/proc`. */
function makeFolders(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (codeOf(error) !== "ENOENT" || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path), mode);
    makeFolders(path, mode);
  }
}
