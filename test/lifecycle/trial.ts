import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { DeepPartial, EntityManager } from "typeorm";
import type { PrivateFile, PrivateFiles } from "typeorm-private-files";
import type { Archive } from "../support/archive.js";
import { Invoice } from "./invoices.js";

/**
 * What has become of a file: a row names it; it is deleted; it may be saved again for a while, and is deleted then; or it is there
 * and no row names it, so that a sweep removes it.
 */
export type Fate = "kept" | "removed" | "waits" | "left";

/** The folder of what other programs wrote. */
export const FOREIGN = "imports/";

/** What has become of the new files and of the old ones. */
export interface Fates {
  new: Fate | undefined;
  old: Fate | undefined;
}

/** One try of a call on invoices: it knows the new files that the call is given, and the old ones that rows name before it. */
export class Trial {
  readonly #keys = { new: [] as string[], old: [] as string[] };

  constructor(private readonly archive: Archive) {}

  get manager(): EntityManager {
    return this.archive.dataSource.manager;
  }

  get files(): PrivateFiles {
    return this.archive.files;
  }

  /** A row with an old file. */
  async saved(values: DeepPartial<Invoice> = {}): Promise<Invoice> {
    const invoice = this.manager.create(Invoice, values);
    this.#keys.old.push((await this.archive.files.attach(invoice, "scan", Buffer.from("old"))).key);
    return this.manager.save(invoice);
  }

  /** A row with an old file that another program wrote. */
  async savedForeign(): Promise<Invoice> {
    const invoice = new Invoice();
    await this.#adopt(invoice, "old");
    return this.manager.save(invoice);
  }

  /** A new row with a new file that another program wrote. */
  async adopted(): Promise<Invoice> {
    const invoice = new Invoice();
    await this.#adopt(invoice, "new");
    return invoice;
  }

  /** Puts a new file into an invoice, by default into a new one. */
  async attached(invoice = new Invoice()): Promise<Invoice> {
    this.#keys.new.push((await this.archive.files.attach(invoice, "scan", Buffer.from("new"))).key);
    return invoice;
  }

  /** A row with an old file, and an entity of it with a new one. */
  async replaced(values: DeepPartial<Invoice> = {}): Promise<Invoice> {
    return this.attached(await this.saved(values));
  }

  /** A new file that is in no entity. */
  async upload(): Promise<PrivateFile> {
    return (await this.attached()).scan!;
  }

  /** What has become of the new files, and of the old ones; `undefined` when there were none. */
  async fates(): Promise<Fates> {
    const now = await this.#fatesNow();
    await this.archive.expire();
    const later = await this.#fatesNow();
    const fateOf = (age: "new" | "old") =>
      now[age] === "left" && later[age] === "removed" ? "waits" : assertSame(now[age], later[age]);
    return { new: fateOf("new"), old: fateOf("old") };
  }

  async #adopt(invoice: Invoice, age: "new" | "old"): Promise<void> {
    const key = `${FOREIGN}${age}.pdf`;
    this.#keys[age].push(key);
    await this.archive.storage.put(key, Readable.from([Buffer.from(age)]));
    await this.archive.files.adopt(invoice, "scan", key);
  }

  async #fatesNow(): Promise<Fates> {
    return { new: await this.#fateOfAll("new"), old: await this.#fateOfAll("old") };
  }

  async #fateOfAll(age: "new" | "old"): Promise<Fate | undefined> {
    const fates = await Promise.all(this.#keys[age].map((key) => this.#fateOf(key, age)));
    if (new Set(fates).size > 1) throw new Error(`The ${age} files did not fare alike: ${fates.join(", ")}.`);
    return fates[0];
  }

  async #fateOf(key: string, content: string): Promise<Fate> {
    const named = await this.manager
      .createQueryBuilder(Invoice, "invoice")
      .withDeleted()
      .where("invoice.scan = :key", { key })
      .getExists();
    const found = (await this.archive.storage.stat(key)) && (await text(await this.archive.storage.read(key)));
    if (named && found !== content) throw new Error("A row names a file that is not what it was.");
    if (named) return "kept";
    return found === undefined ? "removed" : "left";
  }
}

function assertSame(now: Fate | undefined, later: Fate | undefined): Fate | undefined {
  assert.equal(later, now, "Nothing but an upload that may be saved again changes by itself.");
  return now;
}
