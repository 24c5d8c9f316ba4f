import { isOurs } from "../storage/key.js";
import type { Storage } from "../storage/storage.js";
import { KeySet } from "./key-set.js";

/**
 * What rows name that a listing has not shown under the same key: with a symbolic link on the way, in another Unicode form or another case
 * than the file system lists, or not at all. An object that such a row may mean is never an orphan.
 */
export class OtherNames {
  readonly #names = new KeySet();

  /** Adds the key that a row names in its storage. */
  async add(storage: Storage, key: string): Promise<void> {
    for (const name of await namesOf(storage, key)) this.#names.add(name);
  }

  /** Whether a row may mean this object of a storage. Takes a look at the object, if there are any such rows. */
  async include(storage: Storage, key: string): Promise<boolean> {
    if (this.#names.size === 0) return false;
    return (await namesOf(storage, key)).some((name) => this.#names.has(name));
  }
}

/** The texts that two names of one object have in common, whichever storage finds it: a link may lead from one into another. */
async function namesOf(storage: Storage, key: string): Promise<string[]> {
  const identity = await storage.identify?.(key);
  return [
    `name ${key.normalize()}`,
    // No two objects have the same random segment.
    ...(isOurs(key) ? [`segment ${key.split("/").at(-2)}`] : []),
    ...(identity === undefined ? [] : [`object ${identity}`]),
  ];
}
