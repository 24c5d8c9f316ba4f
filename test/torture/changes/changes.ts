import type { EntityManager } from "typeorm";
import { dataSourceOf } from "../../../src/column/data-source.js";
import { Shipment } from "../shipment.js";
import { type Kind, ROWS, Rollback, type Site } from "./change.js";
import { type Deed, Deeds, type Prepared } from "./deeds.js";
import { KINDS, pickKind } from "./kinds.js";
import { isConflict, Violation } from "./refusals.js";

const LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] as const;
/** How many savepoints are inside of each other, at most. */
const DEEPEST = 3;
/** How often a transaction is begun that loses against others. */
const ATTEMPTS = 3;

/** Makes random changes, one after the other: alone, or some in a transaction and its savepoints. */
export class Changes {
  #deeds = new Deeds();
  private readonly site: Site;

  constructor(site: Omit<Site, "note">) {
    this.site = { ...site, note: (name, outcome) => this.#deeds.note(name, outcome) };
  }

  /** @throws Violation for what must not happen. */
  async makeOne(): Promise<Deed[]> {
    const { random, manager } = this.site;
    this.#deeds = new Deeds();
    const first = await this.#prepare();
    if (!first) return this.#deeds.all;
    if (first.kind.isAlone || random.chance(0.5)) await this.#alone(first, manager);
    else await this.#together([first, ...(await this.#others())]);
    return this.#deeds.all;
  }

  /** `undefined` when another process came in between. */
  async #prepare(): Promise<Prepared | undefined> {
    const { random } = this.site;
    let kind: Pick<Kind, "name"> = { name: "count of the rows" };
    try {
      const kinds = await this.#kinds();
      for (;;) {
        const next = pickKind(random, kinds);
        kind = next;
        const step = await next.prepare(this.site);
        if (step) return { kind: next, step };
      }
    } catch (error) {
      this.#deeds.noteError(kind, error);
      return undefined;
    }
  }

  async #kinds(): Promise<readonly Kind[]> {
    const rows = await this.site.manager.count(Shipment, { withDeleted: true });
    return rows > 2 * ROWS ? KINDS.filter(({ removes }) => removes) : KINDS;
  }

  async #others(): Promise<Prepared[]> {
    const others: Prepared[] = [];
    for (let count = this.site.random.below(3); count > 0; count--) {
      const other = await this.#prepare();
      if (other && !other.kind.isAlone) others.push(other);
    }
    return others;
  }

  async #alone(change: Prepared, manager: EntityManager): Promise<void> {
    try {
      await this.#deeds.carryOut(change, manager);
    } catch (error) {
      if (error instanceof Violation) throw error;
    }
  }

  /** In one transaction, which is repeated with the same uploads after a conflict, as documented for `retryFor`. */
  async #together(changes: Prepared[]): Promise<void> {
    const { random, manager } = this.site;
    const level = dataSourceOf(manager).options.type === "better-sqlite3" ? "SERIALIZABLE" : random.pick(LEVELS);
    const name = `transaction, ${level}`;
    const isRepeatable = changes.every(({ kind }) => kind.isRepeatable);
    for (let attempt = 1; ; attempt++) {
      const before = this.#deeds.all.length;
      try {
        await manager.transaction(level, (transaction) => this.#each(transaction, changes));
        this.#deeds.note(name, "committed");
        if (attempt > 1) this.#deeds.note("transaction again after a conflict", "committed");
        return;
      } catch (error) {
        this.#deeds.undo(before);
        this.#deeds.noteError({ name }, error);
        if (!isRepeatable || !isConflict(error) || attempt === ATTEMPTS) return;
      }
    }
  }

  async #each(transaction: EntityManager, changes: Prepared[]): Promise<void> {
    for (const change of changes) await this.#within(transaction, change);
    if (this.site.random.chance(0.3)) throw new Rollback();
  }

  /** In the transaction itself, or in a savepoint that comes to an end of its own. */
  async #within(manager: EntityManager, change: Prepared, depth = 1): Promise<void> {
    const { random } = this.site;
    if (depth > DEEPEST || random.chance(0.5)) return this.#deeds.carryOut(change, manager);
    const [before, isUndone] = [this.#deeds.all.length, random.chance(0.5)];
    const inner = manager.transaction(async (savepoint) => {
      await this.#within(savepoint, change, depth + 1);
      if (isUndone) throw new Rollback();
    });
    await inner.catch((error) => {
      if (!(error instanceof Rollback)) throw error;
      this.#deeds.undo(before);
    });
    this.#deeds.note(`savepoint, ${depth} deep`, isUndone ? "rolled back" : "committed");
    if (!isUndone || !change.kind.isRepeatable || random.chance(0.5)) return;
    await this.#deeds.carryOut(change, manager);
    this.#deeds.note("save again after a savepoint", "committed");
  }
}
