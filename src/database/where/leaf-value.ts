import { types } from "node:util";
import type { ValueTransformer } from "typeorm";
import { dataSourceOf } from "../../column/data-source.js";
import type { ColumnMetadata } from "../../column/private-column.js";
import { described } from "../../described.js";
import { isMysql } from "../dialect.js";

/**
 * Why a value must not be compared with a column: some database, or its driver, would take it for a value that matches other rows.
 *
 * @param pattern whether the value is a pattern, which is compared with the text of a number.
 */
export function problemOf(column: ColumnMetadata | undefined, given: unknown, pattern = false): string | undefined {
  const value = column ? transformed(column, given) : given;
  if (given === undefined || given === null) return String(given);
  if (Number.isNaN(value) || (types.isDate(value) && Number.isNaN(value.getTime()))) return String(value);
  // TypeORM calls functions and puts their results into the SQL.
  if (typeof value === "function" || typeof value === "symbol") return kindOf(value);
  if (isCollection(value) && !(column && takesCollections(column))) {
    return `${kindOf(value)}, which its column can't have`;
  }
  if (!column) return undefined;
  if (typeof value === "boolean" && (isNumeric(column) || isText(column)) && !BOOLEAN.test(nameOfType(column))) {
    return `a boolean, which the database compares with a ${isNumeric(column) ? "number" : "text"} as 0 or 1`;
  }
  if (isOtherObject(value) && (isNumeric(column) || isText(column) || isMysql(dataSourceOf(column.entityMetadata)))) {
    return `${kindOf(value)}, which the driver turns into some text`;
  }
  if (types.isUint8Array(value) && (isNumeric(column) || isText(column))) {
    return `bytes, which some databases find different from every ${isNumeric(column) ? "number" : "text"}`;
  }
  if (isNumberForText(column, given)) return `${kindOf(value)}, which the database compares with a text as 0`;
  // SQLite says that all numbers are less than a text, and MySQL and MariaDB take most texts for 0.
  if (pattern || isNumber(value)) return undefined;
  if (isNumeric(column)) return `${kindOf(value)}, which is not a number`;
  if (isBoolean(column)) return `${kindOf(value)}, which is not a boolean`;
  return undefined;
}

/** MySQL and MariaDB compare them as numbers, and every text that does not begin with a digit is 0. */
export function isNumberForText(column: ColumnMetadata, given: unknown): boolean {
  if (!isMysql(dataSourceOf(column.entityMetadata)) || !isText(column)) return false;
  return ["number", "bigint", "boolean"].includes(typeof transformed(column, given));
}

/** A value's type, for a message, with the kind of an object: `a Map`. */
export function kindOf(value: unknown): string {
  const type = described(value);
  if (type !== "an object") return type;
  const [, tag = "Object"] = /^\[object (.{1,40})\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  return tag === "Object" ? "an object" : `a ${tag}`;
}

const BOOLEAN = /^(?:bool|tinyint|bit)/i;
const NUMERIC = /^(?:(?:tiny|small|medium|big)?int(?:eger)?\d?|float\d?|double|real|dec|numeric|fixed|number|year)\b/i;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function isNumeric(column: ColumnMetadata): boolean {
  return NUMERIC.test(dataSourceOf(column.entityMetadata).driver.normalizeType(column)) || column.type === Number;
}

/** SQLite keeps them as numbers. */
function isBoolean(column: ColumnMetadata): boolean {
  return /^bool/i.test(dataSourceOf(column.entityMetadata).driver.normalizeType(column));
}

function isText(column: ColumnMetadata): boolean {
  return /char|text|enum|set/.test(dataSourceOf(column.entityMetadata).driver.normalizeType(column));
}

function isNumber(value: unknown): boolean {
  return ["number", "bigint", "boolean"].includes(typeof value) || NUMBER.test(String(value));
}

function nameOfType({ type }: ColumnMetadata): string {
  return typeof type === "function" ? type.name : String(type);
}

/** What the driver is given: TypeORM applies the transformers of a column in their order. */
function transformed({ transformer }: ColumnMetadata, value: unknown): unknown {
  if (value === undefined || value === null || !transformer) return value;
  return [transformer].flat().reduce((given, one: ValueTransformer) => one.to(given), value);
}

/** Other objects, such as dates and buffers, are values. */
function isCollection(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
}

/** Whether a driver makes some text of a value, or even SQL. */
function isOtherObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !types.isDate(value) && !types.isUint8Array(value);
}

/** The drivers of MySQL and MariaDB make SQL of a collection, and compare the column with that. */
function takesCollections(column: ColumnMetadata): boolean {
  if (isMysql(dataSourceOf(column.entityMetadata))) return false;
  return column.transformer !== undefined || column.isArray || /json|array|geo|vector/.test(String(column.type));
}
