import type { KeyRow } from "../database/key-rows.js";
import { quoted } from "../quoted.js";
import type { Problem, ProblemRow } from "./problem.js";

/** How many rows a problem shows, and how many of them its message names. */
const [SHOWN, NAMED] = [100, 3];

/** Rows of one kind: how many there are, and the first of them. */
export class FoundRows {
  #count = 0;
  readonly #rows: ProblemRow[] = [];

  /**
   * Adds a row.
   *
   * @param reason what is wrong with it, where that is not the same for all.
   */
  add({ id, key }: KeyRow, reason?: string): void {
    this.#count++;
    if (this.#rows.length < SHOWN) this.#rows.push({ id, key, ...(reason === undefined ? {} : { reason }) });
  }

  /** The problem that they are; none where there are no rows. */
  problem(
    code: Problem["code"],
    severity: Problem["severity"],
    subject: string,
    [what, remedy]: readonly [string, string],
  ): Problem[] {
    if (this.#count === 0) return [];
    const names = this.#rows.slice(0, NAMED).map(({ key }) => quoted(key.slice(0, 100)));
    const rows = `${this.#count} row${this.#count === 1 ? "" : "s"}`;
    const message = `${rows} with ${what}, such as ${names.join(", ")}. ${remedy}`;
    return [{ code, severity, subject, message, count: this.#count, rows: this.#rows }];
  }
}
