import type { DataSource, EntityMetadata, ObjectLiteral, QueryRunner, SelectQueryBuilder } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";
import { onPrimary } from "./committed-reads.js";
import type { KeyColumn } from "./named-keys.js";
import { RowPosition } from "./row-position.js";

/** How many rows one statement reads. */
const PAGE = 2000;

/** A row that names a key. */
export interface KeyRow {
  /** The key: some text, not always one that a storage takes. */
  key: string;
  /** The primary key, in the form in which the database compares it. */
  position: unknown[];
  /** The primary key, as the properties of an entity. Without properties where the entity has none, as views may be. */
  id: ObjectLiteral;
  /** The class of the row: with single table inheritance not always the table's own. `undefined` for an unknown one. */
  entity: EntityMetadata | undefined;
  /** The values of the columns that are read beside the key, as an entity would have them. */
  values: unknown[];
}

/**
 * The rows of a column of the database that name a key, soft-deleted ones included, in the order of the primary key. No
 * entity is made of them, and no more than a page is in memory. A view without a primary column is one page.
 */
export class KeyRows {
  readonly #dataSource: DataSource;
  readonly #column: KeyColumn;
  readonly #keys: ColumnMetadata[];
  readonly #position: RowPosition;
  readonly #beside: ColumnMetadata[];

  /** @param beside columns of the same entity that are read as well. */
  constructor(dataSource: DataSource, column: KeyColumn, beside: ColumnMetadata[] = []) {
    this.#dataSource = dataSource;
    this.#column = column;
    this.#keys = column.entity.primaryColumns;
    this.#position = new RowPosition(dataSource, this.#keys);
    this.#beside = beside;
  }

  /** How many there are. */
  async count(): Promise<number> {
    return onPrimary(this.#dataSource, async (runner) => {
      const row = await this.#query(runner).select("COUNT(*)", "count").getRawOne<{ count: number | string }>();
      return Number(row!.count);
    });
  }

  /** All rows, page by page. Costs one SELECT for 2000 rows, which goes on where the last one ended. */
  async *pages(signal?: AbortSignal): AsyncGenerator<KeyRow[]> {
    for (let after: unknown[] | undefined; ; ) {
      signal?.throwIfAborted();
      const rows = await this.#read((query) => this.#pageAfter(query, after));
      if (rows.length > 0) yield rows;
      if (rows.length < PAGE || this.#keys.length === 0) return;
      after = rows.at(-1)!.position;
    }
  }

  /** The rows of a page as they are now. */
  async again(page: KeyRow[]): Promise<KeyRow[]> {
    return this.#read((query) => this.#position.between(query, page[0]!.position, page.at(-1)!.position));
  }

  #pageAfter(query: SelectQueryBuilder<ObjectLiteral>, after: unknown[] | undefined): void {
    if (this.#keys.length > 0) query.limit(PAGE);
    if (after) this.#position.after(query, after);
  }

  async #read(narrow: (query: SelectQueryBuilder<ObjectLiteral>) => unknown): Promise<KeyRow[]> {
    return onPrimary(this.#dataSource, async (runner) => {
      const query = this.#query(runner).select(`entity.${this.#column.propertyPath}`, "key");
      for (const [index, key] of this.#keys.entries()) query.addSelect(`entity.${key.propertyPath}`, `id${index}`);
      for (const [index, one] of this.#beside.entries()) query.addSelect(`entity.${one.propertyPath}`, `value${index}`);
      this.#position.select(query);
      const kind = this.#column.entity.discriminatorColumn;
      if (kind) query.addSelect(`entity.${kind.propertyPath}`, "kind");
      narrow(query);
      return (await query.getRawMany<Record<string, unknown>>()).map((row) => this.#row(row));
    });
  }

  #query({ manager }: QueryRunner): SelectQueryBuilder<ObjectLiteral> {
    const { entity, propertyPath } = this.#column;
    const query = manager.createQueryBuilder<ObjectLiteral>(entity.target, "entity");
    return query.withDeleted().cache(false).where(`entity.${propertyPath} IS NOT NULL`);
  }

  #row(row: Record<string, unknown>): KeyRow {
    const id: ObjectLiteral = {};
    const position = this.#position.of(row);
    for (const [index, key] of this.#keys.entries()) {
      const raw = row[`id${index}`];
      // SQLite gives a large integer as a number that is not exactly it.
      const exact = typeof raw === "number" && !Number.isSafeInteger(raw) ? position[index] : raw;
      key.setEntityValue(id, this.#dataSource.driver.prepareHydratedValue(exact, key));
    }
    const { driver } = this.#dataSource;
    const values = this.#beside.map((column, index) => driver.prepareHydratedValue(row[`value${index}`], column));
    return { key: String(row.key), position, id, entity: this.#classOf(row.kind), values };
  }

  #classOf(kind: unknown): EntityMetadata | undefined {
    const { entity } = this.#column;
    if (!entity.discriminatorColumn) return entity;
    return [entity, ...entity.childEntityMetadatas].find((one) => String(one.discriminatorValue) === String(kind));
  }
}
