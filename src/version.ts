import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Whether a version, such as `1.10.0` or `1.10.0-beta.1`, is older than another one. Tags of prereleases are ignored. */
export function isOlder(version: string, other: string): boolean {
  const [a, b] = [parts(version), parts(other)];
  const index = a.findIndex((part, at) => part !== b[at]);
  return index >= 0 && a[index]! < b[index]!;
}

/**
 * The versions of a package of which a CommonJS module is loaded, one for each copy; none where that is not known, as in a bundle and in
 * Jest.
 *
 * @param file the module, e.g. `koa/lib/application.js`.
 * @param isWanted tells a copy from others by what its module exports. (default: all)
 */
export function loadedVersions(
  file: `${string}/${string}`,
  isWanted: (exports: Record<string, unknown>) => boolean = () => true,
): string[] {
  // An import.meta would keep Jest from loading this module as CommonJS.
  const { cache } = createRequire(process.execPath);
  return Object.entries(cache).flatMap(([path, module]) => {
    const isOne = path.replaceAll("\\", "/").endsWith(`/node_modules/${file}`);
    return isOne && isWanted(module?.exports) ? (versionOf(path.slice(0, -file.length), file) ?? []) : [];
  });
}

function versionOf(folder: string, file: string): string | undefined {
  const [name] = file.split("/", 1) as [string];
  try {
    return JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

function parts(version: string): number[] {
  return version.split("-", 1)[0]!.split(".").map(Number);
}
