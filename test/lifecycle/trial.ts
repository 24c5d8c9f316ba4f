import { text } from "node:stream/consumers";
import type { DeepPartial, EntityManager } from "typeorm";
import type { PrivateFile } from "typeorm-private-files";
import type { Archive } from "../support/archive.js";
import { Invoice } from "./invoices.js";

/** What has become of a file: a row names it; it is gone; or it is there and no row names it, so that a sweep removes it. */
export type Fate = "kept" | "removed" | "left";

/** One try of a call on invoices: it knows the new files that the call is given, and the old ones that rows name before it. */
export class Trial {
  readonly #keys = { new: [] as string[], old: [] as string[] };

  constructor(private readonly archive: Archive) {}

  get manager(): EntityManager {
    return this.archive.dataSource.manager;
  }

  /** A row with an old file. */
  async saved(values: DeepPartial<Invoice> = {}): Promise<Invoice> {
    const invoice = this.manager.create(Invoice, values);
    this.#keys.old.push((await this.archive.files.attach(invoice, "scan", Buffer.from("old"))).key);
    return this.manager.save(invoice);
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

  /** What has become of the new files, or of the old ones; `undefined` when there were none. */
  async fate(age: "new" | "old"): Promise<Fate | undefined> {
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
