import { dirname } from "node:path";
import type { Storage } from "./storage.js";

/** What storages that keep the same objects have in common: the folder on this machine's disk, else the storage itself. */
export function locationOf(storage: Storage): string | Storage {
  return folderOf(storage) ?? storage;
}

/** The folder under which a storage keeps its objects; `undefined` for a storage that is not on this machine's disk. */
export function folderOf(storage: Storage): string | undefined {
  return storage.path && dirname(storage.path("x"));
}
