import type { DataSource, ObjectLiteral } from "typeorm";
import { savedFile } from "../../column/missing-file.js";
import type { PrivateColumn } from "../../column/private-column.js";
import { PrimaryKeyForm } from "../../database/primary-key-form.js";
import { ConfigurationError, PrivateFileError } from "../../errors.js";
import { percentEncoded } from "../../http/percent-encoding.js";

/** What a URL names: a column, the primary key of a row, and the file's name. Nothing of it is looked up yet. */
export interface Location {
  /** The column. */
  column: PrivateColumn;
  /** The values of the entity's primary key, in the order of its columns, each in its canonical form. */
  primaryKey: string[];
  /** The last segment, decoded. */
  name: string;
}

/**
 * Knows which URL belongs to which file: `/entity/property/key value(s)/name`. Each segment is decoded once, and what decodes to
 * the same texts is the same file: proxies decode and encode again what they pass on, each in its own way (RFC 3986 §6.2.2).
 */
export class Locator {
  private readonly routes = new Map<string, Route>();
  private readonly byColumn = new Map<PrivateColumn, Route>();

  /** @throws ConfigurationError when two columns would share a URL, or a primary key can't stand in one. */
  constructor(dataSource: DataSource, columns: PrivateColumn[]) {
    for (const column of columns) {
      // All rows of a view without a primary column would share one URL.
      if (column.entity.primaryColumns.length === 0) continue;
      const prefix = `${kebabCase(column.entity.name)}/${kebabCase(column.propertyPath)}`;
      const taken = this.routes.get(prefix)?.column;
      if (taken) throw sharedUrl(taken, column, prefix);
      const forms = column.entity.primaryColumns.map((key) => new PrimaryKeyForm(dataSource, key));
      const route = { column, prefix, forms };
      this.routes.set(prefix, route);
      this.byColumn.set(column, route);
    }
  }

  /**
   * Reads a URL's path, without the prefix of the routes.
   *
   * @param path its segments as they came, with the slashes between them.
   */
  locate(path: string): Location | undefined {
    const segments = path.split("/").map(decodeSegment);
    if (!segments.every((segment) => segment !== undefined)) return undefined;
    const [entity, property, ...primaryKey] = segments;
    const name = primaryKey.pop();
    const route = this.routes.get(`${entity}/${property}`);
    if (!route || name === undefined || primaryKey.length !== route.forms.length) return undefined;
    if (!route.forms.every((form, index) => form.accepts(primaryKey[index]!))) return undefined;
    return { column: route.column, primaryKey, name };
  }

  /**
   * The path to an entity's file, without the prefix of the routes.
   *
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when the entity has no file or was loaded without it, when
   * the file is not saved or was rolled back, when the entity has no primary key yet, or a text as its primary key that can't stand in a URL, or is of a view without a primary column.
   */
  pathTo(column: PrivateColumn, entity: ObjectLiteral): string {
    const file = savedFile(column, entity);
    const route = this.byColumn.get(column);
    if (!route) throw noUrl(column, "the view has no primary column", "Declare one with @PrimaryColumn");
    const { prefix, forms } = route;
    const primaryKey = this.primaryKeyOf(column, entity);
    if (!forms.every((form, index) => form.accepts(primaryKey[index]!))) {
      throw noUrl(column, "its primary key can't stand in one", "Give the entity another key");
    }
    return `${prefix}/${[...primaryKey, file.name].map(encodeSegment).join("/")}`;
  }

  /** The values of an entity's primary key, as they stand in its URL. */
  primaryKeyOf(column: PrivateColumn, entity: ObjectLiteral): string[] {
    return this.byColumn.get(column)!.forms.map((form) => {
      const text = form.textOf(entity);
      if (text === undefined)
        throw noUrl(
          column,
          "the entity has no primary key",
          "Save it first, or select its primary key when you load it",
        );
      return text;
    });
  }
}

interface Route {
  column: PrivateColumn;
  prefix: string;
  forms: PrimaryKeyForm[];
}

/** `undefined` for an empty segment, and for one that is no text. */
function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment) || undefined;
  } catch {
    return undefined;
  }
}

function encodeSegment(text: string): string {
  return percentEncoded(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

function kebabCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .toLowerCase();
}

function sharedUrl(one: PrivateColumn, other: PrivateColumn, prefix: string): ConfigurationError {
  return new ConfigurationError(
    `${other.subject}: its URL would be "${prefix}", which is that of ${one.subject}. Rename one of both.`,
  );
}

function noUrl(column: PrivateColumn, problem: string, advice: string): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_NOT_FOUND",
    `${column.subject}: there is no URL: ${problem}. ${advice}.`,
  );
}
