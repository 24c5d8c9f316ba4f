import { FindOperator } from "typeorm";
import type { ColumnMetadata } from "../../column/private-column.js";
import { problemOf } from "./leaf-value.js";

/** Whether a value is an operator of `find`, of this copy of TypeORM or of another one. */
export function isOperator(value: unknown): value is FindOperator<unknown> {
  if (value instanceof FindOperator) return true;
  const kind = typeof value === "object" && value !== null && (value as { "@instanceof"?: unknown })["@instanceof"];
  return kind === Symbol.for("FindOperator") || kind === Symbol.for("EqualOperator");
}

/** Why an operator must not be used, as the end of a sentence about it. */
export function problemOfOperator(
  column: ColumnMetadata | undefined,
  operator: FindOperator<unknown>,
): string | undefined {
  if (operator.child) return problemOfOperator(column, operator.child);
  const { type, value } = operator;
  if (FREE.has(type)) return undefined;
  if (!LISTS.has(type)) return problemOfValue(column, value, PATTERNS.has(type));
  // TypeORM takes the characters of a text for the values.
  if (!Array.isArray(value)) return "has a value that is not an array";
  if (value.length === 0 && COMBINED.has(type)) return "combines nothing";
  for (const one of Array.from<unknown>(value)) {
    const problem = isOperator(one) ? problemOfOperator(column, one) : problemOfValue(column, one);
    if (problem) return problem;
  }
  return undefined;
}

/** Whether an operator leaves out no row, such as `Not(In([]))`. */
export function isUnlimited(operator: FindOperator<unknown>): boolean {
  const { type, child, value } = operator;
  if (type === "not" && child) return Array.isArray(child.value) && child.value.length === 0;
  return COMBINED.has(type) && Array.isArray(value) && value.some((one) => isOperator(one) && isUnlimited(one));
}

/** A copy of an operator: TypeORM transforms the values in it, each time that a query is made. */
export function copyOf<T>(operator: FindOperator<T>): FindOperator<T> {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(operator)), operator) as { _value: unknown };
  const value = copy._value;
  if (isOperator(value)) copy._value = copyOf(value);
  else if (Array.isArray(value)) copy._value = Array.from(value, (one) => (isOperator(one) ? copyOf(one) : one));
  return copy as unknown as FindOperator<T>;
}

/** Operators whose value is SQL, or is not compared with the column as it is. */
const FREE = new Set(["isNull", "raw", "jsonContains", "arrayContains", "arrayContainedBy", "arrayOverlap"]);
/** Operators of several values. */
const LISTS = new Set(["in", "any", "between", "and", "or"]);
/** Operators of other operators. */
const COMBINED = new Set(["and", "or"]);
/** Operators that compare the text of a column with a pattern. */
const PATTERNS = new Set(["like", "ilike"]);

function problemOfValue(column: ColumnMetadata | undefined, value: unknown, pattern = false): string | undefined {
  const problem = problemOf(column, value, pattern);
  return problem && `has a value of ${problem}`;
}
