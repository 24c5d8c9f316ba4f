import { types } from "node:util";
import type { ColumnOptions } from "typeorm";
import { deliveryRule } from "../../delivery/delivery-rule.js";
import { ConfigurationError } from "../../errors.js";
import { isFieldValue } from "../../http/field-value.js";
import { isCharset } from "../../http/media-type.js";
import {
  checkOptions,
  functionLike,
  must,
  type OptionRule,
  type OptionRules,
  optionsOf,
  text,
  trueOrFalse,
} from "../../options.js";
import { storageRule } from "../../storage/storage-rule.js";
import {
  COLUMN_TYPES,
  type DatabaseColumnOptions,
  type PrivateFileColumnOptions,
  type PrivateFileFields,
} from "../column-options.js";
import { checkUploadTo } from "../upload-to.js";

/**
 * Checks the options of a column when it is declared, so that a mistake stops the application at start-up.
 *
 * @param subject names the column in the message.
 * @throws ConfigurationError for an unknown option, or a wrong one. A `condition` or `where` that is `undefined` is wrong, too: the
 * column would fall back on a rule that lets others in.
 */
export function checkColumnOptions(subject: string, options: PrivateFileColumnOptions<never>): void {
  checkOptions(subject, options, RULES);
  for (const name of ["condition", "where"] as const) {
    if (name in options && options[name] === undefined) throw undefinedRule(subject, name);
  }
  if (options.uploadTo !== undefined) checkUploadTo(subject, options.uploadTo);
}

/** Those of the options that are TypeORM's, by its names. */
export function databaseOptions(
  options: PrivateFileColumnOptions<never>,
): Omit<DatabaseColumnOptions, "columnCharset"> & Pick<ColumnOptions, "charset"> {
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && name in DATABASE_RULES);
  const { columnCharset: charset, ...others } = Object.fromEntries(given) as DatabaseColumnOptions;
  return charset === undefined ? others : { ...others, charset };
}

const DATABASE_RULES: OptionRules<DatabaseColumnOptions> = {
  type: must(
    `a type that keeps every key as it is`,
    (value) => value === String || COLUMN_TYPES.some((one) => one === value),
    `Use one of ${COLUMN_TYPES.join(", ")}`,
  ),
  name: text("scan_path"),
  length: must(
    "a number of characters",
    (value) => /^[1-9][0-9]*$/.test(String(value)),
    "Give a whole number such as 255",
  ),
  nullable: trueOrFalse,
  unique: trueOrFalse,
  select: trueOrFalse,
  comment: text("the scan of an invoice"),
  columnCharset: text("utf8mb4"),
  collation: text("utf8mb4_bin"),
  default: must(
    "a string, null or a function",
    (value) => value === null || ["string", "function"].includes(typeof value),
    'Give a key such as "defaults/avatar.png"',
  ),
};

const RULES: OptionRules<PrivateFileColumnOptions> = {
  uploadTo: accepted,
  condition: functionLike("(ctx) => ctx.state.user != null"),
  attachment: trueOrFalse,
  relations: must("an object", isObject, "Give one such as { owner: true }"),
  where: synchronous("(ctx) => ({ published: true })"),
  filename: synchronous("(entity) => entity.title"),
  maxSize: must(
    "a whole number of bytes, at least 1",
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
    "Give one such as 20 * 1024 ** 2",
  ),
  accept: must(
    "an array of extensions and media types",
    (value) => Array.isArray(value) && value.length > 0 && Array.from(value).every(isTypeOrExtension),
    'Give one such as [".csv", "application/pdf", "image/*"]',
  ),
  fields: optionsOf<PrivateFileFields<object>>({
    name: text("originalName"),
    size: text("bytes"),
    type: text("mediaType"),
    sha256: text("digest"),
  }),
  cacheControl: (value, name) => (typeof value === "function" ? returnsCacheControl : cacheControl)(value, name),
  charset: must(
    'the name of a charset that browsers know, such as "windows-1252", or null',
    (value) => value === null || isCharset(value),
    'Give the name that the Encoding Standard has for it; the option for the database column is "columnCharset"',
  ),
  storage: storageRule,
  delivery: deliveryRule,
  ...DATABASE_RULES,
};

const cacheControl = must(
  'a text such as "private, no-store", or a function that returns one',
  isFieldValue,
  "Give what the header shall have",
);

const returnsCacheControl = synchronous('(entity) => "private, no-store"');

/** A function whose result is not awaited. */
function synchronous(signature: string): OptionRule {
  const rule = functionLike(signature);
  return (value, name) =>
    types.isAsyncFunction(value)
      ? `"${name}" must be a function that returns its result, got an async function, whose promise is not awaited. Remove "async".`
      : rule(value, name);
}

/** Of an option that is checked by itself. */
function accepted(): undefined {}

/** A dot and an extension, or a media type that a `*` may end. */
function isTypeOrExtension(value: unknown): boolean {
  return typeof value === "string" && /^(?:\.[^\s./\\,]+|[a-z]+\/(?:\*|[\w.+-]+))$/i.test(value);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function undefinedRule(subject: string, name: string): ConfigurationError {
  return new ConfigurationError(
    `${subject}: "${name}" must be a function, got undefined. If it is imported, look for a circular import; else leave the option out.`,
  );
}
