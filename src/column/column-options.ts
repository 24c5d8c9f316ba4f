import type { Context, ExtendableContext } from "koa";
import type { ColumnOptions, FindOptionsRelations, FindOptionsWhere, ObjectLiteral } from "typeorm";
import type { Delivery } from "../delivery/delivery.js";
import type { Storage } from "../storage/storage.js";
import type { UploadTo } from "./upload-to.js";

/**
 * A column's rule: only `true`, or a promise of `true`, lets a request through. A rule that throws answers 500, one that
 * takes longer than the `timeout` of `PrivateFiles` answers 503; neither sends a byte. `C` is the type of the application's context.
 */
export type Condition<E, C extends ExtendableContext = Context> = (ctx: C, entity: E) => boolean | Promise<boolean>;

/** The types of a database column that keep a text of any length as it is. */
export const COLUMN_TYPES = [
  "varchar",
  "character varying",
  "varying character",
  "nvarchar",
  "national varchar",
  "text",
  "mediumtext",
  "longtext",
  "clob",
  "citext",
] as const;

/**
 * The types that the database column may have: those that keep a text of any length as it is. Of these TypeORM takes the ones that
 * the database has.
 */
export type PrivateFileColumnType = (typeof COLUMN_TYPES)[number];

/**
 * The options of TypeORM's `@Column` that a private file column takes; each means what it means there, and has TypeORM's own default.
 * So `@Column(options)` can become `@PrivateFileColumn(options)` without a change of the schema. Only `charset` has another name:
 * `columnCharset`. `insert` and `update` are missing because `false` would save an upload in no row.
 */
export interface DatabaseColumnOptions
  extends Pick<ColumnOptions, "name" | "length" | "nullable" | "unique" | "select" | "comment" | "collation"> {
  /** The type of the database column. (default: `varchar`, or what TypeORM takes for a string) */
  type?: PrivateFileColumnType | StringConstructor;
  /**
   * What the database puts into a row that is inserted without a file: a key such as `defaults/avatar.png`, an empty text, or a
   * function that returns an SQL expression. A file that many rows name is never deleted with a row. (default: none)
   */
  default?: string | null | (() => string);
  /** The character set of the database column, which TypeORM calls `charset`. (default: that of the table) */
  columnCharset?: string;
}

/** Sibling properties that `attach` fills in. Each is an ordinary column, so that SQL can ask for it. */
export interface PrivateFileFields<E> {
  /**
   * Gets the name that the upload came with, without control characters. A name with more characters than the column takes is put into
   * NFC and cut before its extension, between graphemes. It is the name offered to the browser, too.
   */
  name?: TextProperty<E>;
  /** Gets the number of bytes. An `int` of PostgreSQL, MySQL and MariaDB holds 2 GiB at most. */
  size?: PropertyOf<E, number>;
  /**
   * Gets the media type by the first bytes and the extension, `null` where they contradict each other or nothing is known, whatever the client
   * said. It takes the place of the extension when the file is sent. The column needs room for 80 characters.
   */
  type?: TextProperty<E>;
  /**
   * Gets the SHA-256 digest of the bytes, in 64 hexadecimal digits, for which the column needs room. The ETag is made of it, so that it is
   * the same for each copy of the file, whenever that was written. Costs some 0.6 ms for each MiB of an upload.
   */
  sha256?: TextProperty<E>;
}

/** The properties that take any text. */
type TextProperty<E> = PropertyOf<E, string>;

/** The properties that take any value of a type. The condition is there for the same reason as in `PrivateFileProperty`. */
type PropertyOf<E, T> = [E] extends [unknown]
  ? { [K in keyof E & string]-?: T extends E[K] ? K : never }[keyof E & string]
  : never;

/**
 * The options of a private file column. `E` is the entity that the column belongs to, `C` the context of the Koa application,
 * such as `ParameterizedContext<AppState, AppExtras>`. Without `C` it is Koa's own `Context`.
 */
export interface PrivateFileColumnOptions<E extends object = ObjectLiteral, C extends ExtendableContext = Context>
  extends DatabaseColumnOptions {
  /** Where an upload goes under the storage's root: a folder, or a function that returns a path. (default: `""`) */
  uploadTo?: UploadTo<E>;
  /**
   * Who may read the file. Asked on every request, HEAD and 304 included; no answer is remembered.
   * (default: signed-in users: `ctx.isAuthenticated()` where the app has it, as with koa-passport, else whether `ctx.state.user` is set)
   */
  condition?: Condition<E, C>;
  /**
   * `true` sends the file as an attachment. `false` lets the browser show those types that run nothing (images but SVG,
   * PDF, audio, video, plain text); all others stay attachments. (default: `true`)
   */
  attachment?: boolean;
  /** Relations loaded with the entity, in the same SELECT, for `condition` and the hooks. (default: none but eager ones) */
  relations?: FindOptionsRelations<E>;
  /**
   * Which rows this request may see at all, asked in the same SELECT. The others are 404, as if they did not exist. `true` means all rows, `false` none.
   * The condition is checked against the entity: a value of `undefined`, `null` or `NaN`, an empty object or array, a promise, or a property
   * that is not a column fails the request. Nothing that TypeORM would ignore lets more rows through. (default: all rows)
   */
  where?: (ctx: C) => FindOptionsWhere<E> | FindOptionsWhere<E>[] | boolean;
  /** The name offered to the browser. It is made safe, whatever it is. (default: the property that `fields.name` names, else the key's last segment) */
  filename?: (entity: E) => string | null | undefined;
  /**
   * The most bytes that an upload may have. They are counted while they are read, whatever was announced: it is refused as soon as there are
   * more. (default: any number)
   */
  maxSize?: number;
  /**
   * What an upload may be: extensions such as `.docx`, media types, and `image/*`. The first bytes and the extension must both be of one
   * of these; the client is not asked. Where a format has no signature, as texts, CSV and SVG, the extension decides, unless the bytes are
   * those of another format. `image/*`, `audio/*`, `video/*` and `font/*` take files with a signature alone, and so no SVG. The library that knows signatures takes some 50 ms to load, once. (default: anything)
   */
  accept?: readonly string[];
  /** Sibling properties that `attach` fills in. (default: none) */
  fields?: PrivateFileFields<E>;
  /**
   * The value of Cache-Control, or a function of the entity that returns it, such as `public, max-age=600` once a row is published. It
   * is not awaited. If it throws, or returns anything else than a text, the answer is 500. A cache that may keep the file sends it without
   * asking the rule. (default: `private, no-store` for attachments, `private, no-cache` for what is shown inline)
   */
  cacheControl?: string | ((entity: E) => string);
  /**
   * The charset that is sent with the media types of texts, such as `windows-1252`; `null` sends none, and browsers guess. Formats that are
   * always in UTF-8, such as JSON, stay `utf-8`. A byte order mark in the file counts more in browsers. (default: `utf-8`)
   */
  charset?: string | null;
  /** Where this column's files are kept. (default: that of `PrivateFiles`) */
  storage?: Storage;
  /** How this column's files are sent. (default: that of `PrivateFiles`) */
  delivery?: Delivery;
}
