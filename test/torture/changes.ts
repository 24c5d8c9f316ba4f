import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { PARTS, Parcel, type Part, putInto, takeOut } from "../support/parcel.js";
import type { Random } from "./random.js";

/** About how many rows there are: few enough that processes meet. */
const ROWS = 40;
const LARGEST = 2 ** 20;
const CHUNK = 64 * 1024;

/** A change that wants to be undone. */
export class Rollback extends Error {}

/** What to do once the uploads are in the storage. */
type Change = (manager: EntityManager) => Promise<unknown>;

/** Makes random changes to parcels, one after the other. */
export class Changes {
  constructor(
    private readonly random: Random,
    private readonly files: PrivateFiles,
    private readonly manager: EntityManager,
  ) {}

  /** @throws Rollback when it undid what it did; what the database and the package throw. */
  async makeOne(): Promise<void> {
    const { random, manager } = this;
    if (random.chance(0.6)) {
      const change = await this.#prepare();
      await change(manager);
      return;
    }
    const changes: Change[] = [];
    for (let count = 1 + random.below(3); count > 0; count--) changes.push(await this.#prepare());
    await manager.transaction(async (transaction) => {
      for (const change of changes) await this.#within(transaction, change);
      if (random.chance(0.3)) throw new Rollback();
    });
  }

  /** In the transaction itself, or in a savepoint that comes to an end of its own. */
  async #within(transaction: EntityManager, change: Change): Promise<void> {
    if (this.random.chance(0.5)) {
      await change(transaction);
      return;
    }
    const inner = transaction.transaction(async (savepoint) => {
      await change(savepoint);
      if (this.random.chance(0.5)) throw new Rollback();
    });
    await inner.catch((error) => {
      if (!(error instanceof Rollback)) throw error;
    });
  }

  async #prepare(): Promise<Change> {
    const rows = await this.manager.find(Parcel, { select: { id: true } });
    const dice = this.random.below(2 * ROWS);
    const parcels = await this.#some(rows);
    if (dice >= rows.length || parcels.length === 0) return this.#insertion();
    if (this.random.chance(0.25)) return (manager) => manager.remove(parcels);
    for (const parcel of parcels) await this.#refill(parcel);
    return (manager) => manager.save(parcels);
  }

  async #some(rows: Parcel[]): Promise<Parcel[]> {
    const ids = new Set<number>();
    const count = this.random.chance(0.7) ? 1 : 2 + this.random.below(3);
    while (ids.size < Math.min(count, rows.length)) ids.add(this.random.pick(rows).id);
    const found = [...ids].map((id) => this.manager.findOneBy(Parcel, { id }));
    return (await Promise.all(found)).filter((parcel) => parcel !== null);
  }

  async #insertion(): Promise<Change> {
    const parcels: Parcel[] = [];
    for (let count = this.random.chance(0.7) ? 1 : 3; count > 0; count--) {
      const label = this.random.chance(0.5) ? `label ${this.random.below(ROWS)}` : null;
      const parcel = this.manager.create(Parcel, { label });
      await this.#fill(parcel, "letter");
      if (this.random.chance(0.5)) await this.#fill(parcel, "goods");
      parcels.push(parcel);
    }
    return (manager) => manager.save(parcels);
  }

  async #refill(parcel: Parcel): Promise<void> {
    const parts = this.random.chance(0.4) ? PARTS : [this.random.pick(PARTS)];
    for (const part of parts) {
      if (this.random.chance(0.15)) takeOut(parcel, part, this.files);
      else await this.#fill(parcel, part);
    }
  }

  /** With a file of any size, none included, whose bytes take their time. */
  async #fill(parcel: Parcel, part: Part): Promise<void> {
    const length = this.random.chance(0.1) ? 0 : Math.floor(LARGEST ** this.random.next());
    const bytes = this.random.bytes(length);
    const note = this.random.below(2 ** 32).toString(36);
    await putInto(parcel, part, note, bytes, this.files, Readable.from(slowly(bytes), { objectMode: false }));
  }
}

async function* slowly(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    await setImmediate();
    yield bytes.subarray(at, at + CHUNK);
  }
}
