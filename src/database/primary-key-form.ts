import type { DataSource, ObjectLiteral } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";
import { ConfigurationError } from "../errors.js";
import { isSqlite } from "./dialect.js";

type Check = (text: string) => boolean;

/** The one form in which the value of a primary key's column stands in a URL. */
export class PrimaryKeyForm {
  /**
   * Whether a text has this form. Databases are lenient (`" 1"`, `01` and `1.0` find row 1) or answer an ill-formed value
   * with an error; so nothing else is ever asked for.
   */
  readonly accepts: Check;

  /** @throws ConfigurationError when the column's type has no canonical text. */
  constructor(
    dataSource: DataSource,
    private readonly column: ColumnMetadata,
  ) {
    this.accepts = checkOf(dataSource, column);
  }

  /** The value that an entity has, in this form; `undefined` where it has none yet. */
  textOf(entity: ObjectLiteral): string | undefined {
    const value: unknown = this.column.getEntityValue(entity);
    if (value === undefined || value === null) return undefined;
    return this.accepts === isUuid ? String(value).toLowerCase() : String(value);
  }
}

function checkOf(dataSource: DataSource, column: ColumnMetadata): Check {
  const type = dataSource.driver.normalizeType(column);
  const bits = INTEGER_BITS[type];
  if (bits !== undefined) return isInteger(isSqlite(dataSource) ? 64 : bits, column.unsigned);
  if (type === "uuid" || type === "uniqueidentifier") return isUuid;
  if (column.enum) return (value) => column.enum?.some((one) => String(one) === value) ?? false;
  if (/char|text|string|clob|citext/i.test(type)) return isText;
  throw new ConfigurationError(
    `${column.entityMetadata.name}.${column.propertyPath}: a primary key of type "${type}" can't stand in a URL. Use an integer, a uuid or a text.`,
  );
}

const INTEGER_BITS: Record<string, number | undefined> = {
  tinyint: 8,
  int2: 16,
  smallint: 16,
  smallserial: 16,
  mediumint: 24,
  int: 32,
  int4: 32,
  integer: 32,
  serial: 32,
  int8: 64,
  int64: 64,
  bigint: 64,
  bigserial: 64,
  "unsigned big int": 64,
};

function isInteger(bits: number, unsigned: boolean): Check {
  const most = 2n ** BigInt(unsigned ? bits : bits - 1) - 1n;
  const least = unsigned ? 0n : -most - 1n;
  return (value) => {
    if (value.length > 20 || !/^(?:0|-?[1-9]\d*)$/.test(value)) return false;
    const number = BigInt(value);
    return number >= least && number <= most;
  };
}

function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}

/**
 * PostgreSQL has no text with a NUL in it, and answers one with an error. Browsers take `.` and `..` for folders, in whatever
 * way they are encoded (RFC 3986 §5.2.4).
 */
function isText(value: string): boolean {
  return value !== "" && value !== "." && value !== ".." && !value.includes("\0");
}
