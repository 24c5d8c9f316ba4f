import type { Statement } from "./file-change.js";

/** Keys that the next UPDATE may write, since its row has them already. */
export class WritePermits {
  /** For each key, the other values that the UPDATE has to write as well. */
  readonly #permits = new Map<string, unknown[]>();

  /**
   * Lets the next UPDATE write a key.
   *
   * @param set other values that it has to write as well.
   */
  give(key: string, set: unknown[]): void {
    this.#permits.set(key, set);
  }

  /** Whether an UPDATE may write a key, once. */
  take(key: string, { sql, parameters }: Statement): boolean {
    const set = this.#permits.get(key);
    if (!set) return false;
    this.#permits.delete(key);
    const given = new Set(Object.values(parameters ?? {}).map(String));
    // TypeORM writes numbers into the text.
    const isSet = (value: unknown) => given.has(String(value)) || new RegExp(`= ?${Number(value)}(?!\\d)`).test(sql);
    return set.every(isSet);
  }

  /** Forgets all of them: the row may be another by now. */
  clear(): void {
    this.#permits.clear();
  }
}
