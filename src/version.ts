import { readFileSync } from "node:fs";

/** Whether a version, such as `1.10.0` or `1.10.0-beta.1`, is older than another one. Tags of prereleases are ignored. */
export function isOlder(version: string, other: string): boolean {
  const [a, b] = [parts(version), parts(other)];
  const index = a.findIndex((part, at) => part !== b[at]);
  return index >= 0 && a[index]! < b[index]!;
}

/** The version of a package, as this package finds it; `undefined` where it does not, such as in a bundle. */
export function installedVersion(name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(new URL(import.meta.resolve(`${name}/package.json`)), "utf8")).version;
  } catch {
    return undefined;
  }
}

function parts(version: string): number[] {
  return version.split("-", 1)[0]!.split(".").map(Number);
}
