import { type EntityMetadata, FindOperator, type FindOptionsWhere, type ObjectLiteral } from "typeorm";
import { dataSourceOf } from "../../column/data-source.js";
import type { ColumnMetadata } from "../../column/private-column.js";
import { isMysql } from "../dialect.js";

/** What `find` takes as `where`. */
export type Where = FindOptionsWhere<ObjectLiteral> | FindOptionsWhere<ObjectLiteral>[];

/**
 * Holds a condition against the entity, so that no part of it can drop out: depending on its options, TypeORM leaves out
 * `undefined`, `null` and empty objects, and the condition then matches more rows than intended, or all.
 *
 * @param refuse makes the error for a part that is empty or unknown; it is given a clause such as `"owner.id" is undefined`.
 * @param mustNarrow whether an operator is refused that leaves out no row, such as `Not(In([]))`.
 * @returns the condition, with related entities replaced by their primary keys.
 * @throws what `refuse` makes.
 */
export function completeWhere(
  entity: EntityMetadata,
  where: unknown,
  refuse: (problem: string) => Error,
  mustNarrow = false,
): Where {
  return new WhereReader(refuse, mustNarrow).alternatives(entity, where, "");
}

class WhereReader {
  constructor(
    private readonly refuse: (problem: string) => Error,
    private readonly mustNarrow: boolean,
  ) {}

  /** @param name what the condition is called in messages: the path of a relation, or `""`. */
  alternatives(entity: EntityMetadata, where: unknown, name: string): Where {
    if (!Array.isArray(where)) return this.#properties(entity, where, name);
    if (where.length === 0) throw this.refuse(`${subject(name)} is an empty array`);
    // TypeORM skips the holes of an array.
    return Array.from(where, (alternative) => this.#properties(entity, alternative, name));
  }

  /** @param embedded the path of the embedded entity that the object stands for. */
  #properties(entity: EntityMetadata, where: unknown, name: string, embedded = ""): ObjectLiteral {
    if (typeof where !== "object" || where === null || Array.isArray(where) || where instanceof FindOperator) {
      throw this.refuse(`${subject(name)} is ${described(where)}, not an object with properties`);
    }
    const entries = Object.entries(where);
    if (entries.length === 0) throw this.refuse(`${subject(name)} is empty`);
    return Object.fromEntries(
      entries.map(([key, value]) => [key, this.#property(entity, joined(embedded, key), value, joined(name, key))]),
    );
  }

  #property(entity: EntityMetadata, path: string, value: unknown, name: string): unknown {
    if (value === undefined || value === null) throw this.refuse(`${subject(name)} is ${value}`);
    const column = entity.findColumnWithPropertyPathStrict(path);
    if (column) return this.#value(column, value, name);
    if (entity.findEmbeddedWithPropertyPath(path)) return this.#properties(entity, value, name, path);
    const relation = entity.findRelationWithPropertyPath(path);
    if (!relation) throw this.refuse(`${subject(name)} is not a column or relation of ${entity.name}`);
    if (value instanceof FindOperator) return this.#operator(undefined, value, name);
    const related = relation.inverseEntityMetadata;
    if (!isInstanceOf(related, value)) return this.alternatives(related, value, name);
    const id = related.getEntityIdMap(value);
    if (id) return id;
    throw this.refuse(`${subject(name)} is an entity without a primary key`);
  }

  #value(column: ColumnMetadata, value: unknown, name: string): unknown {
    if (value instanceof FindOperator) return this.#operator(column, value, name);
    const problem = problemOf(column, value);
    if (problem) throw this.refuse(`${subject(name)} is ${problem}`);
    return value;
  }

  #operator(column: ColumnMetadata | undefined, operator: FindOperator<unknown>, name: string): FindOperator<unknown> {
    if (this.mustNarrow && operator.type === "not" && isEmptyList(operator.child)) {
      throw this.refuse(`the operator of ${subject(name)} leaves out nothing`);
    }
    if (operator.child) this.#operator(column, operator.child, name);
    else if (!FREE.has(operator.type)) {
      const values = LISTS.has(operator.type) ? Array.from([operator.value].flat()) : [operator.value];
      for (const value of values) {
        if (value instanceof FindOperator) this.#operator(column, value, name);
        else {
          const problem = problemOf(column, value);
          if (problem) throw this.refuse(`the operator of ${subject(name)} has a value of ${problem}`);
        }
      }
    }
    return operator;
  }
}

/** Operators whose value is SQL, or is not compared with the column as it is. */
const FREE = new Set(["isNull", "raw", "jsonContains", "arrayContains", "arrayContainedBy", "arrayOverlap"]);
/** Operators of several values. */
const LISTS = new Set(["in", "any", "between", "and", "or"]);

/** Why a value must not be compared with a column: some database takes it for a value that matches all rows, or many. */
function problemOf(column: ColumnMetadata | undefined, value: unknown): string | undefined {
  if (value === undefined || value === null) return String(value);
  if (Number.isNaN(value) || (value instanceof Date && Number.isNaN(value.getTime()))) return String(value);
  if (!column) return undefined;
  // A driver turns them into some text, which MySQL and MariaDB compare with a number as 0.
  if (isCollection(value) && !takesCollections(column)) return `${described(value)}, which its column can't have`;
  if (isNumberForText(column, value)) return `${described(value)}, which the database compares with a text as 0`;
  return undefined;
}

/** MySQL and MariaDB compare them as numbers, and every text that does not begin with a digit is 0. */
export function isNumberForText(column: ColumnMetadata, value: unknown): boolean {
  if (!["number", "bigint", "boolean"].includes(typeof value) || column.transformer) return false;
  const dataSource = dataSourceOf(column.entityMetadata);
  return isMysql(dataSource) && /char|text|enum|set/.test(dataSource.driver.normalizeType(column));
}

/** `Not(In([]))` matches all rows. */
function isEmptyList(operator: FindOperator<unknown> | undefined): boolean {
  return operator instanceof FindOperator && Array.isArray(operator.value) && operator.value.length === 0;
}

function subject(name: string): string {
  return name === "" ? "the condition" : `"${name}"`;
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof FindOperator) return "an operator";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isInstanceOf({ target }: EntityMetadata, value: unknown): value is ObjectLiteral {
  return typeof target === "function" && value instanceof target;
}

/** Other objects, such as dates and buffers, are values. */
function isCollection(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

function takesCollections({ transformer, isArray, type }: ColumnMetadata): boolean {
  return transformer !== undefined || isArray || /json|array|geo|vector/.test(String(type));
}
