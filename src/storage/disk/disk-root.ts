import { mkdirSync, realpathSync } from "node:fs";
import { parse, resolve } from "node:path";
import { ConfigurationError } from "../../errors.js";
import { shown } from "../../quoted.js";
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
    mkdirSync(resolve(root), { recursive: true, mode });
    const real = realpathSync.native(resolve(root));
    if (real !== parse(real).root) return real;
  } catch (error) {
    const reason = codeOf(error) ?? "an error";
    throw new ConfigurationError(
      `DiskStorage: "${root}" can't be used: ${reason}. Give a folder that this process may write to.`,
      {
        cause: error,
      },
    );
  }
  throw new ConfigurationError(`DiskStorage: "${root}" is the whole file system. Give a folder of its own.`);
}
