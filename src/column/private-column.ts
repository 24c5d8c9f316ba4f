import type { EntityMetadata, ObjectLiteral } from "typeorm";
import { ConfigurationError, InvalidKeyError } from "../errors.js";
import { shortened } from "../http/name/shortened-name.js";
import type { Storage } from "../storage/storage.js";
import type { PrivateFileColumnOptions } from "./column-options.js";
import { dataSourceOf } from "./data-source.js";
import { type FileRecord, type PrivateFile, recordOf, type UploadTarget } from "./private-file.js";
import type { PrivateFileTransformer } from "./private-file-transformer.js";

/** TypeORM's metadata of a column. */
export type ColumnMetadata = EntityMetadata["columns"][number];

/** What `attach` knows of a file, by the names of `fields`. */
export interface FileFacts {
  /** The name that the upload came with. */
  name?: string;
  /** The number of bytes. */
  size?: number;
  /** The media type. */
  type?: string;
  /** The SHA-256 digest. */
  sha256?: string;
}

/** A private file column of one entity of a data source: the declaration, and TypeORM's metadata of both. */
export class PrivateColumn {
  /** Names the column in messages, e.g. `FileSubmission.uploadedFile`. */
  readonly subject: string;

  constructor(
    /** The entity, as TypeORM knows it. */
    readonly entity: EntityMetadata,
    /** The column, as TypeORM knows it. */
    readonly column: ColumnMetadata,
    /** What the column was declared with. */
    readonly options: PrivateFileColumnOptions,
  ) {
    this.subject = `${entity.name}.${column.propertyPath}`;
  }

  /** The property's path from the entity, e.g. `uploadedFile`, or `profile.photo` in an embedded entity. */
  get propertyPath(): string {
    return this.column.propertyPath;
  }

  /** The file of an entity. `undefined` where there is none, whether the property is null, empty or was not loaded. */
  fileOf(entity: ObjectLiteral): PrivateFile | undefined {
    const value: unknown = this.column.getEntityValue(entity);
    return recordOf(value) ? (value as PrivateFile) : undefined;
  }

  /** The record of an entity's file. `undefined` as for {@link fileOf}. */
  recordOf(entity: ObjectLiteral): FileRecord | undefined {
    return recordOf(this.column.getEntityValue(entity));
  }

  /** The same text for the same column of the database: classes that share a table share its columns. */
  get place(): string {
    return `${this.entity.tablePath}\0${this.column.databasePath}`;
  }

  /**
   * Sets the property of an entity, and those siblings that `fields` names: to `null` where nothing is known.
   *
   * @returns the record of the file that the property had before.
   */
  assign(entity: ObjectLiteral, file: PrivateFile | null, known: FileFacts): FileRecord | undefined {
    const replaced = this.recordOf(entity);
    for (const [field, sibling] of this.fieldColumns) {
      const value = known[field] ?? null;
      sibling.setEntityValue(entity, typeof value === "string" ? storable(value, this.lengthOf(sibling)) : value);
    }
    // Last: a sibling may have a setter that throws.
    this.column.setEntityValue(entity, file);
    return replaced;
  }

  /** The sibling columns that `fields` names. */
  get fieldColumns(): [field: keyof FileFacts, column: ColumnMetadata][] {
    const fields = Object.entries(this.options.fields ?? {}) as [keyof FileFacts, string | undefined][];
    return fields.flatMap(([field, property]) => (property ? [[field, this.sibling(property)]] : []));
  }

  /**
   * What a sibling property says of an entity's file: a text that is not empty. `undefined` where no property keeps it, or the entity was
   * loaded without that.
   */
  factOf(entity: ObjectLiteral, field: "name" | "type" | "sha256"): string | undefined {
    const property = this.options.fields?.[field];
    const value: unknown = property && this.sibling(property).getEntityValue(entity);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  /** Lets the column take uploads of its data source: a `PrivateFiles` follows the rows from now on. */
  follow(): void {
    this.column.transformer = (this.column.transformer as PrivateFileTransformer).followed(this.subject);
  }

  /** What an upload to this column is made for. */
  uploadTarget(storage: Storage): UploadTarget {
    return { dataSource: dataSourceOf(this.entity), place: this.place, storage };
  }

  /** How many characters of a key the database column takes, as it is declared. Infinity where it has no limit. */
  get length(): number {
    return this.lengthOf(this.column);
  }

  /**
   * Checks that the database column can hold a key, before anything is written.
   *
   * @throws InvalidKeyError when it is longer than the column.
   */
  assertFits(key: string): void {
    const { length } = [...key];
    if (length <= this.length) return;
    throw new InvalidKeyError(
      `${this.subject}: the key has ${length} characters, the column takes ${this.length}. Give the column a greater "length", or have "uploadTo" give a shorter key.`,
      key,
    );
  }

  /** Some databases have a limit for a column that is declared without one. */
  lengthOf(column: ColumnMetadata): number {
    return Number(dataSourceOf(this.entity).driver.getColumnLength(column)) || Number.POSITIVE_INFINITY;
  }

  /**
   * The column of a property beside this one: in the same entity, or the same embedded entity.
   *
   * @throws ConfigurationError when there is no such column.
   */
  sibling(property: string): ColumnMetadata {
    const path = [...this.column.propertyPath.split(".").slice(0, -1), property].join(".");
    const column = this.entity.findColumnWithPropertyPath(path);
    if (!column) {
      throw new ConfigurationError(
        `${this.subject}: "fields" names "${property}", which is not a column. Declare it with @Column.`,
      );
    }
    return column;
  }
}

/** A client may send any name; a database refuses a NUL and what is longer than the column. */
function storable(name: string, characters: number): string {
  const clean = name.replace(/\p{Surrogate}/gu, "\ufffd").replace(/\p{Cc}/gu, "");
  if ([...clean].length <= characters) return clean;
  // Normalising takes quadratic time over a run of combining marks.
  return shortened(clean.length > 1024 ? clean : clean.normalize(), { characters });
}
