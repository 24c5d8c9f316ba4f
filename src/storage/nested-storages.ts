import { relative, sep } from "node:path";
import { folderOf } from "./location.js";
import type { Storage } from "./storage.js";

/** Two storages of which one's folder lies inside the other's. */
export interface NestedStorages {
  /** The folder inside. */
  inner: string;
  /** The folder around it. */
  outer: string;
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
