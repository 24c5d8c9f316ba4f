import type { Storage } from "./storage.js";

/** Whether two storages keep the same objects: they are one, or folders of this machine with one path. */
export function isSameStorage(one: Storage, other: Storage): boolean {
  return one === other || (one.path !== undefined && one.path("x") === other.path?.("x"));
}
