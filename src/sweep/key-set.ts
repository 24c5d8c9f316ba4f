import * as crypto from "node:crypto";

const FIRST_CAPACITY = 1024;

/**
 * Millions of keys in little memory: a hash of 52 bits and a mark for each, 27 bytes at most, 39 while it grows. Two keys may share
 * a hash, so a key may be found that was never added, in one of four billion look-ups among a million keys; never the other way
 * round. Each set has hashes of its own, so another one finds other keys wrongly.
 */
export class KeySet {
  readonly #salt = crypto.randomBytes(16).toString("hex");
  #hashes = new Float64Array(FIRST_CAPACITY);
  #seen = new Uint8Array(FIRST_CAPACITY);
  #size = 0;
  #seenCount = 0;

  /** How many keys were added, each counted once. */
  get size(): number {
    return this.#size;
  }

  /** How many of them were marked. */
  get seenCount(): number {
    return this.#seenCount;
  }

  /** Adds a key. One that is there stays as it is. */
  add(key: string): void {
    const hashed = this.#hash(key);
    const slot = this.#slotOf(hashed);
    if (this.#hashes[slot] === hashed) return;
    this.#hashes[slot] = hashed;
    this.#size++;
    if (this.#size > this.#hashes.length * 0.7) this.#grow();
  }

  /** Whether a key was added. */
  has(key: string): boolean {
    const hashed = this.#hash(key);
    return this.#hashes[this.#slotOf(hashed)] === hashed;
  }

  /** Marks a key as seen. Returns whether it was added at all. */
  see(key: string): boolean {
    const hashed = this.#hash(key);
    const slot = this.#slotOf(hashed);
    if (this.#hashes[slot] !== hashed) return false;
    if (!this.#seen[slot]) this.#seenCount++;
    this.#seen[slot] = 1;
    return true;
  }

  /** Whether a key was marked. */
  wasSeen(key: string): boolean {
    const hashed = this.#hash(key);
    const slot = this.#slotOf(hashed);
    return this.#hashes[slot] === hashed && this.#seen[slot] === 1;
  }

  /** A whole number that a double holds exactly; 0 stands for an empty slot. */
  #hash(key: string): number {
    return Number.parseInt(crypto.hash("sha256", this.#salt + key, "hex").slice(0, 13), 16) || 1;
  }

  /** Where a hash is, or would be put. The capacity is a power of two. */
  #slotOf(hashed: number): number {
    let slot = hashed % this.#hashes.length;
    while (this.#hashes[slot] !== 0 && this.#hashes[slot] !== hashed) slot = (slot + 1) % this.#hashes.length;
    return slot;
  }

  #grow(): void {
    const [hashes, seen] = [this.#hashes, this.#seen];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#seen = new Uint8Array(hashes.length * 2);
    for (const [slot, hashed] of hashes.entries()) {
      if (hashed === 0) continue;
      const place = this.#slotOf(hashed);
      this.#hashes[place] = hashed;
      this.#seen[place] = seen[slot]!;
    }
  }
}
