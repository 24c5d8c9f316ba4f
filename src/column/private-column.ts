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
   * Sets the property of an entity, and those siblings that `fields` names.
   *
   * @returns the record of the file that the property had before.
   */
  assign(entity: ObjectLiteral, file: PrivateFile | null, fields: { name: string | null }): FileRecord | undefined {
    const replaced = this.recordOf(entity);
    this.column.setEntityValue(entity, file);
    const sibling = this.nameColumn;
    sibling?.setEntityValue(entity, fields.name === null ? null : storable(fields.name, this.lengthOf(sibling)));
    return replaced;
  }

  /** The column that keeps the upload's own name, where `fields.name` names one. */
  get nameColumn(): ColumnMetadata | undefined {
    const { name } = this.options.fields ?? {};
    return name ? this.sibling(name) : undefined;
  }

  /** The upload's own name. `undefined` where no sibling property keeps it, or the entity was loaded without that. */
  nameOf(entity: ObjectLiteral): string | undefined {
    const name: unknown = this.nameColumn?.getEntityValue(entity);
    return typeof name === "string" && name !== "" ? name : undefined;
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
  private lengthOf(column: ColumnMetadata): number {
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
