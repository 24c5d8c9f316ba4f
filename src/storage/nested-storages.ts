import { dirname, relative, sep } from "node:path";
import type { Storage } from "./storage.js";

/** Two storages of which one's folder lies inside the other's. */
export interface NestedStorages {
  /** The folder inside. */
  inner: string;
  /** The folder around it. */
  outer: string;
}

/** The folder under which a storage keeps its objects; `undefined` for one that is not on this machine's disk. */
export function folderOf(storage: Storage): string | undefined {
  return storage.path && dirname(storage.path("x"));
}

/** Whether a path is a folder, or in it. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

/** Storages that would list each other's objects. */
export function nestedStorages(storages: Storage[]): NestedStorages[] {
  const folders = storages.flatMap((storage) => folderOf(storage) ?? []);
  return folders.flatMap((outer) =>
    folders.filter((inner) => inner !== outer && isWithin(inner, outer)).map((inner) => ({ inner, outer })),
  );
}
