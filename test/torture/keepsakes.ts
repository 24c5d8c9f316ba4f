import type { DataSource } from "typeorm";
import { deleteAll } from "../support/typeorm.js";
import type { KeepsakeNews } from "./changes/change.js";
import { Keepsake } from "./shipment.js";

/** What the own row of each writer must have, by what the writer told before it was killed. */
export class Keepsakes {
  /** For each writer, the seals that its row may have: one, or two while a change is under way. */
  readonly #seals = new Map<string, string[]>();
  /** How many rows were looked at. */
  checked = 0;

  hear({ owner, seal, is }: KeepsakeNews): void {
    if (is === "committed") this.#seals.set(owner, [seal]);
    // What it had before its first change was not told.
    else this.#seals.get(owner)?.push(seal);
  }

  /** Compares the rows with what was told, and deletes them, so that their files are orphans. In words what is wrong. */
  async check({ manager }: DataSource): Promise<string[]> {
    const rows = await manager.find(Keepsake);
    const seals = new Map(rows.map(({ owner, letterSeal }) => [owner, letterSeal]));
    await deleteAll(manager, Keepsake);
    const wrong = [...this.#seals].filter(([owner, allowed]) => !allowed.includes(seals.get(owner) ?? "none"));
    this.checked += this.#seals.size;
    this.#seals.clear();
    return wrong.map(
      ([owner, allowed]) => `the row of ${owner} has ${seals.get(owner)} in place of ${allowed.join(" or ")}`,
    );
  }
}
