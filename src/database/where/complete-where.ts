import type { EntityMetadata, FindOperator, FindOptionsWhere, ObjectLiteral } from "typeorm";
import type { ColumnMetadata } from "../../column/private-column.js";
import { copyOf, isOperator, isUnlimited, problemOfOperator } from "./find-operator.js";
import { kindOf, problemOf } from "./leaf-value.js";

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
    const other = Object.keys(where).find((key) => !(Number(key) < where.length));
    if (other !== undefined) throw this.refuse(`${subject(name)} is an array with the property "${other}"`);
    // TypeORM skips the holes of an array.
    return Array.from(where, (alternative) => this.#properties(entity, alternative, name));
  }

  /** @param embedded the path of the embedded entity that the object stands for. */
  #properties(entity: EntityMetadata, where: unknown, name: string, embedded = ""): ObjectLiteral {
    const problem = problemOfObject(where);
    if (problem) throw this.refuse(`${subject(name)} is ${problem}`);
    return Object.fromEntries(
      Object.entries(where as object).map(([key, value]) => [
        key,
        this.#property(entity, joined(embedded, key), value, joined(name, key)),
      ]),
    );
  }

  #property(entity: EntityMetadata, path: string, value: unknown, name: string): unknown {
    if (value === undefined || value === null) throw this.refuse(`${subject(name)} is ${value}`);
    const column = entity.findColumnWithPropertyPathStrict(path);
    if (column) return this.#value(column, value, name);
    if (entity.findEmbeddedWithPropertyPath(path)) return this.#properties(entity, value, name, path);
    const relation = entity.findRelationWithPropertyPath(path);
    if (!relation) throw this.refuse(`${subject(name)} is not a column or relation of ${entity.name}`);
    if (isOperator(value)) return this.#operator(referencedColumn(relation), value, name);
    const related = relation.inverseEntityMetadata;
    if (!isInstanceOf(related, value)) return this.alternatives(related, value, name);
    const id = related.getEntityIdMap(value);
    if (id) return this.alternatives(related, id, name);
    throw this.refuse(`${subject(name)} is an entity without a primary key`);
  }

  #value(column: ColumnMetadata, value: unknown, name: string): unknown {
    if (isOperator(value)) return this.#operator(column, value, name);
    const problem = problemOf(column, value);
    if (problem) throw this.refuse(`${subject(name)} is ${problem}`);
    return value;
  }

  #operator(column: ColumnMetadata | undefined, operator: FindOperator<unknown>, name: string): FindOperator<unknown> {
    if (this.mustNarrow && isUnlimited(operator)) {
      throw this.refuse(`the operator of ${subject(name)} leaves out nothing`);
    }
    const problem = problemOfOperator(column, operator);
    if (problem) throw this.refuse(`the operator of ${subject(name)} ${problem}`);
    return copyOf(operator);
  }
}

/** Why an object can't be a condition: TypeORM would ignore a part of it. */
function problemOfObject(where: unknown): string | undefined {
  if (typeof where !== "object" || where === null || isOperator(where)) {
    return `${isOperator(where) ? "an operator" : kindOf(where)}, not an object with properties`;
  }
  if (kindOf(where) !== "an object") return `${kindOf(where)}, not an object with properties`;
  const ignored = Reflect.ownKeys(where).find((key) => !Object.prototype.propertyIsEnumerable.call(where, key));
  if (ignored !== undefined) return `an object with the hidden property ${String(ignored)}`;
  if (Object.getOwnPropertySymbols(where).length > 0) return "an object with a symbol as a property";
  const inherited = inheritedProperty(where);
  if (inherited !== undefined) return `an object that inherits "${inherited}"; copy it with { ...object }`;
  return Object.keys(where).length === 0 ? "empty" : undefined;
}

/** A property that an object has from its prototypes: a getter, or a value in place of a method. */
function inheritedProperty(where: object): string | undefined {
  for (let one = Object.getPrototypeOf(where); one && !isRoot(one); one = Object.getPrototypeOf(one)) {
    const properties = Object.entries(Object.getOwnPropertyDescriptors(one));
    const [name] = properties.find(([, { value }]) => typeof value !== "function") ?? [];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** `Object.prototype`, of this realm or of another one. */
function isRoot(prototype: object): boolean {
  return Object.hasOwn(prototype, "hasOwnProperty") && Object.getPrototypeOf(prototype) === null;
}

function subject(name: string): string {
  return name === "" ? "the condition" : `"${name}"`;
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isInstanceOf({ target }: EntityMetadata, value: unknown): value is ObjectLiteral {
  return typeof target === "function" && value instanceof target;
}

/** The column whose values a foreign key has; `undefined` for one of several columns, and on the other side of a relation. */
function referencedColumn({ joinColumns }: EntityMetadata["relations"][number]): ColumnMetadata | undefined {
  return joinColumns.length === 1 ? joinColumns[0]?.referencedColumn : undefined;
}
