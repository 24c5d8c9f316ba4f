import { isOurs } from "../storage/key.js";
import type { Storage } from "../storage/storage.js";
import { KeySet } from "./key-set.js";

/**
 * What rows name that a listing has not shown under the same key: with a symbolic link on the way, in another Unicode form or another case
 * than the file system lists, or not at all. An object that such a row may mean is never an orphan.
 */
export class OtherNames {
  readonly #names = new KeySet();

  constructor(private readonly storage: Storage) {}

  /** Adds the key that a row names. */
  async add(key: string): Promise<void> {
    for (const name of await this.#namesOf(key)) this.#names.add(name);
  }

  /** Whether a row may mean this object. Takes a look at the object, if there are any such rows. */
  async include(key: string): Promise<boolean> {
    if (this.#names.size === 0) return false;
    return (await this.#namesOf(key)).some((name) => this.#names.has(name));
  }

  /** The texts that two names of one object have in common. */
  async #namesOf(key: string): Promise<string[]> {
    const identity = await this.storage.identify?.(key);
    return [
      `name ${key.normalize()}`,
      // No two objects have the same random segment.
      ...(isOurs(key) ? [`segment ${key.split("/").at(-2)}`] : []),
      ...(identity === undefined ? [] : [`object ${identity}`]),
    ];
  }
}
