import { types } from "node:util";
import type { DataSource, EntityMetadata, ObjectLiteral } from "typeorm";
import { ConfigurationError } from "../errors.js";
import { leaveUnawaited } from "../unawaited.js";
import type { PrivateFileColumnOptions } from "./column-options.js";
import { declaredOptions, isColumnTwice } from "./declaration/declaration.js";
import { checkDeclaration } from "./declaration/declaration-check.js";
import { type ColumnMetadata, PrivateColumn } from "./private-column.js";
import { PrivateFileTransformer } from "./private-file-transformer.js";

/** All private file columns of a data source, once for each entity that has them: declared, inherited or embedded. */
export class ColumnSet implements Iterable<PrivateColumn> {
  static readonly #known = new WeakMap<EntityMetadata[], ColumnSet>();

  private constructor(private readonly columns: PrivateColumn[]) {
    for (const column of columns) checkDeclaration(column);
  }

  /**
   * The columns of a data source: the same set each time, until the data source is initialized anew.
   *
   * @throws ConfigurationError when the data source is not initialized yet, or a declaration does not fit its entity.
   */
  static of({ isInitialized, entityMetadatas }: DataSource): ColumnSet {
    if (!isInitialized) {
      throw new ConfigurationError(
        'PrivateFiles: the data source is not initialized. Call "await dataSource.initialize()" before this.',
      );
    }
    const known = ColumnSet.#known.get(entityMetadatas) ?? new ColumnSet(entityMetadatas.flatMap(columnsOfEntity));
    ColumnSet.#known.set(entityMetadatas, known);
    return known;
  }

  /**
   * The column of an entity's property.
   *
   * @throws ConfigurationError when there is no entity or no such column, or it can't be told which: an entity without a class
   * is known by its property alone.
   */
  columnOf(entity: ObjectLiteral | null | undefined, property: string): PrivateColumn {
    if (entity === null || entity === undefined) {
      throw new ConfigurationError(`entity.${property}: the entity is ${entity}. Give an entity of the data source.`);
    }
    if (types.isPromise(entity)) {
      leaveUnawaited(entity);
      throw new ConfigurationError(`entity.${property}: the entity is a promise. Await it.`);
    }
    const target: unknown = entity.constructor;
    const isPlain = target === Object || target === undefined;
    const [column, other] = this.columns.filter(
      (one) =>
        one.propertyPath === property &&
        (isPlain ? typeof one.entity.target === "string" : one.entity.target === target),
    );
    if (!column) throw isPlain ? this.withoutClass(property) : this.noColumn(target as { name: string }, property);
    if (!other) return column;
    throw new ConfigurationError(
      `entity.${property}: ${column.subject} and ${other.subject} are both without a class. Give each EntitySchema a "target".`,
    );
  }

  /** The columns of an entity, as TypeORM's events name it. */
  ofEntity(entity: EntityMetadata): PrivateColumn[] {
    return this.columns.filter((column) => column.entity === entity);
  }

  /** The columns that rows of an entity may have: its own, and with single table inheritance those of its children. */
  ofRows(entity: EntityMetadata): PrivateColumn[] {
    const children = entity.childEntityMetadatas.filter(({ tablePath }) => tablePath === entity.tablePath);
    const columns = [entity, ...children].flatMap((one) => this.ofEntity(one));
    const byName = new Map(columns.toReversed().map((column) => [column.column.databasePath, column]));
    return [...byName.values()];
  }

  [Symbol.iterator](): Iterator<PrivateColumn> {
    return this.columns.values();
  }

  /** The `save` of a manager takes such objects, and returns what it was given. */
  private withoutClass(property: string): ConfigurationError {
    const names = this.columns.filter((one) => one.propertyPath === property).map(({ entity }) => entity.name);
    const [example = "Entity"] = names;
    const expected = names.length > 0 ? names.join(" or ") : "an entity class";
    return new ConfigurationError(
      `entity.${property}: the entity must be an instance of ${expected}, got a plain object, as manager.save(${example}, { … }) returns it. Make it with manager.create(${example}, { … }) and save that, or load it.`,
    );
  }

  private noColumn(target: { name: string }, property: string): ConfigurationError {
    const paths = this.columns.filter(({ entity }) => entity.target === target).map((column) => column.propertyPath);
    const advice =
      paths.length > 0
        ? `Use one of ${paths.join(", ")}, or declare it with @PrivateFileColumn.`
        : "Declare it with @PrivateFileColumn, and add the entity to the data source.";
    return new ConfigurationError(`${target.name}.${property}: it is not a private file column. ${advice}`);
  }
}

function columnsOfEntity(entity: EntityMetadata): PrivateColumn[] {
  return entity.columns.flatMap((column) => {
    const options = optionsOf(entity, column);
    return options ? [new PrivateColumn(entity, column, options)] : [];
  });
}

/**
 * With single table inheritance TypeORM gives the parent the columns of its children as well, and children that name a
 * property alike share one. So the options are those of the entity's own class, if that has any.
 */
function optionsOf(entity: EntityMetadata, column: ColumnMetadata): PrivateFileColumnOptions | undefined {
  if (PrivateFileTransformer.isOfAnotherCopy(column.transformer)) {
    throw new ConfigurationError(
      `${entity.name}.${column.propertyPath}: another copy of typeorm-private-files declared it. Install the package once: "npm ls typeorm-private-files" shows where it is.`,
    );
  }
  const type = column.embeddedMetadata?.type ?? entity.target;
  const declared = typeof type === "function" ? declaredOptions(type, column.propertyName) : undefined;
  const { transformer } = column;
  const isPrivate = transformer instanceof PrivateFileTransformer;
  // Which one counts depends on their order: the property may be a plain column, which takes any text.
  if (declared && (!isPrivate || isColumnTwice(type as object, column.propertyName))) {
    throw new ConfigurationError(
      `${entity.name}.${column.propertyPath}: @PrivateFileColumn and another decorator make a column of it. Remove the other one.`,
    );
  }
  return isPrivate ? (declared ?? transformer.schemaOptions) : undefined;
}
