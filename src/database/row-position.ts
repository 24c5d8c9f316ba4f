import type { DataSource, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";
import { isMysql } from "./dialect.js";

type Query = SelectQueryBuilder<ObjectLiteral>;

/**
 * Types whose values MariaDB and MySQL sort in another way than they compare them with a text: an enum by its place in the
 * declaration, a decimal as a double.
 */
const COMPARED_AS_TEXT = new Set(["enum", "set", "decimal", "float", "double"]);

/**
 * The place of a row in the order of the primary key, exactly as the database compares it: a driver may round an integer, or the
 * fraction of a second. The entity's alias in the query is `entity`.
 */
export class RowPosition {
  readonly #expressions: { selected: string; compared: string }[];

  constructor(dataSource: DataSource, keys: ColumnMetadata[]) {
    this.#expressions = keys.map((key) => expressions(dataSource, key));
  }

  /** Selects the position, and sorts by it. */
  select(query: Query): void {
    for (const [index, { selected, compared }] of this.#expressions.entries()) {
      query.addSelect(selected, `position${index}`).addOrderBy(compared);
    }
  }

  /** The position of a row that was selected. */
  of(row: Record<string, unknown>): unknown[] {
    return this.#expressions.map((_, index) => {
      const raw = row[`id${index}`];
      // Bytes are compared as bytes, whatever text they look like.
      return raw instanceof Uint8Array ? raw : row[`position${index}`];
    });
  }

  /** Narrows a query to the rows behind a position. */
  after(query: Query, position: unknown[]): void {
    query.andWhere(this.#condition(">", "from"), parameters("from", position));
  }

  /** Narrows a query to the rows from one position to another. */
  between(query: Query, from: unknown[], to: unknown[]): void {
    if (this.#expressions.length === 0) return;
    query.andWhere(this.#condition(">=", "from"), parameters("from", from));
    query.andWhere(this.#condition("<=", "to"), parameters("to", to));
  }

  /** `a >= :a AND (a > :a OR (b > :b))`, as few databases use an index for `(a, b) > (:a, :b)`. */
  #condition(operator: ">" | ">=" | "<=", name: string, index = 0): string {
    const { compared } = this.#expressions[index]!;
    if (index === this.#expressions.length - 1) return `${compared} ${operator} :${name}${index}`;
    const [strict, loose] = operator === "<=" ? ["<", "<="] : [">", ">="];
    const rest = this.#condition(operator, name, index + 1);
    return `(${compared} ${loose} :${name}${index} AND (${compared} ${strict} :${name}${index} OR (${rest})))`;
  }
}

function expressions(dataSource: DataSource, key: ColumnMetadata): { selected: string; compared: string } {
  const path = `entity.${key.propertyPath}`;
  if (!isMysql(dataSource)) return { selected: `CAST(${path} AS TEXT)`, compared: path };
  const selected = `CAST(${path} AS CHAR)`;
  const type = dataSource.driver.normalizeType(key);
  return { selected, compared: COMPARED_AS_TEXT.has(type) ? selected : path };
}

function parameters(name: string, position: unknown[]): ObjectLiteral {
  return Object.fromEntries(position.map((value, index) => [`${name}${index}`, value]));
}
