import type { DataSource, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";
import { onPrimary } from "./committed-reads.js";
import { isSqlite } from "./dialect.js";
import type { KeyColumn } from "./named-keys.js";

/** How many rows one statement reads. */
const PAGE = 2000;

/** A row that names a key. */
export interface KeyRow {
  /** The key: some text, not always one that a storage takes. */
  key: string;
  /** The primary key, in the form in which the database compares it. */
  position: string[];
  /** The primary key, as the properties of an entity. */
  id: ObjectLiteral;
  /** The class of the row: with single table inheritance not always the table's own. `undefined` for an unknown one. */
  entity: EntityMetadata | undefined;
}

/**
 * The rows of a column of the database that name a key, soft-deleted ones included, in the order of the primary key. No
 * entity is made of them, and no more than a page is in memory.
 */
export class KeyRows {
  readonly #dataSource: DataSource;
  readonly #column: KeyColumn;
  readonly #keys: ColumnMetadata[];

  constructor(dataSource: DataSource, column: KeyColumn) {
    this.#dataSource = dataSource;
    this.#column = column;
    this.#keys = column.entity.primaryColumns;
  }

  /** All rows, page by page. Costs one SELECT for 2000 rows, which goes on where the last one ended. */
  async *pages(signal?: AbortSignal): AsyncGenerator<KeyRow[]> {
    for (let after: string[] | undefined; ; ) {
      signal?.throwIfAborted();
      const rows = await this.#read((query) => this.#between(query, after).limit(PAGE));
      if (rows.length > 0) yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.position;
    }
  }

  /** The rows of a page as they are now. */
  async again(page: KeyRow[]): Promise<KeyRow[]> {
    return this.#read((query) => this.#between(query, page[0]!.position, page.at(-1)!.position, true));
  }

  async #read(narrow: (query: SelectQueryBuilder<ObjectLiteral>) => unknown): Promise<KeyRow[]> {
    return onPrimary(this.#dataSource, async ({ manager }) => {
      const query = manager.createQueryBuilder<ObjectLiteral>(this.#column.entity.target, "entity");
      query.withDeleted().cache(false).select(`entity.${this.#column.propertyPath}`, "key");
      for (const [index, key] of this.#keys.entries()) {
        query.addSelect(`entity.${key.propertyPath}`, `id${index}`).addOrderBy(`entity.${key.propertyPath}`);
        query.addSelect(this.#comparable(key), `position${index}`);
      }
      const kind = this.#column.entity.discriminatorColumn;
      if (kind) query.addSelect(`entity.${kind.propertyPath}`, "kind");
      query.where(`entity.${this.#column.propertyPath} IS NOT NULL`);
      narrow(query);
      return (await query.getRawMany<Record<string, unknown>>()).map((row) => this.#row(row));
    });
  }

  /** SQLite gives a large integer as a number that is not exactly it. */
  #comparable(key: ColumnMetadata): string {
    return isSqlite(this.#dataSource) ? `CAST(entity.${key.propertyPath} AS TEXT)` : `entity.${key.propertyPath}`;
  }

  #between(query: SelectQueryBuilder<ObjectLiteral>, from?: string[], to?: string[], including = false) {
    if (from) query.andWhere(this.#compared(including ? ">=" : ">", "from"), parameters("from", from));
    if (to) query.andWhere(this.#compared("<=", "to"), parameters("to", to));
    return query;
  }

  /** `a >= :a AND (a > :a OR (b > :b))`, as few databases use an index for `(a, b) > (:a, :b)`. */
  #compared(operator: ">" | ">=" | "<=", name: string, index = 0): string {
    const path = `entity.${this.#keys[index]!.propertyPath}`;
    if (index === this.#keys.length - 1) return `${path} ${operator} :${name}${index}`;
    const [strict, loose] = operator === "<=" ? ["<", "<="] : [">", ">="];
    const rest = this.#compared(operator, name, index + 1);
    return `(${path} ${loose} :${name}${index} AND (${path} ${strict} :${name}${index} OR (${rest})))`;
  }

  #row(row: Record<string, unknown>): KeyRow {
    const id: ObjectLiteral = {};
    const position = this.#keys.map((_, index) => String(row[`position${index}`]));
    for (const [index, key] of this.#keys.entries()) {
      const raw = row[`id${index}`];
      const exact = typeof raw === "number" && !Number.isSafeInteger(raw) ? position[index] : raw;
      key.setEntityValue(id, this.#dataSource.driver.prepareHydratedValue(exact, key));
    }
    return { key: String(row.key), position, id, entity: this.#classOf(row.kind) };
  }

  #classOf(kind: unknown): EntityMetadata | undefined {
    const { entity } = this.#column;
    if (!entity.discriminatorColumn) return entity;
    return [entity, ...entity.childEntityMetadatas].find((one) => String(one.discriminatorValue) === String(kind));
  }
}

function parameters(name: string, position: string[]): ObjectLiteral {
  return Object.fromEntries(position.map((value, index) => [`${name}${index}`, value]));
}
