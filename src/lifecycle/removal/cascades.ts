import type { EntityMetadata } from "typeorm";
import type { ColumnSet } from "../../column/column-metadata.js";
import { rootOf } from "../../database/named-keys.js";

/** A foreign key whose rows the database deletes together with the rows that they refer to. */
export interface Cascade {
  /** The entity whose rows are all rows of the table that has the foreign key. */
  entity: EntityMetadata;
  /** The names of its columns. */
  columns: string[];
  /** The names of the columns that they refer to, in the same order. */
  referencedColumns: string[];
  /** The table that they refer to. */
  referencedTable: string;
}

/** The cascades of the database that lead to files: rows that have some, or whose own cascades do. */
export class FileCascades {
  readonly #cascades: Cascade[];

  constructor(entities: EntityMetadata[], columns: ColumnSet) {
    const all = cascadesOf(entities);
    const leading = new Set(entities.filter((one) => columns.ofRows(one).length > 0).map(({ tablePath }) => tablePath));
    // A cascade may make the table that it refers to a leading one, and with it others.
    for (let size = -1; size !== leading.size; ) {
      size = leading.size;
      for (const { entity, referencedTable } of all) if (leading.has(entity.tablePath)) leading.add(referencedTable);
    }
    this.#cascades = all.filter(({ entity }) => leading.has(entity.tablePath));
  }

  /** Those that begin with the rows of an entity. */
  from({ tablePath }: EntityMetadata): Cascade[] {
    return this.#cascades.filter(({ referencedTable }) => referencedTable === tablePath);
  }
}

/** Each once: the classes that share a table have its foreign keys each. */
function cascadesOf(entities: EntityMetadata[]): Cascade[] {
  const found = new Map<string, Cascade>();
  for (const foreignKey of entities.flatMap(({ foreignKeys }) => foreignKeys)) {
    if (foreignKey.onDelete !== "CASCADE") continue;
    const { columnNames, referencedColumnNames, referencedTablePath } = foreignKey;
    const entity = rootOf(foreignKey.entityMetadata);
    found.set(JSON.stringify([entity.tablePath, columnNames, referencedTablePath, referencedColumnNames]), {
      ...{ entity, columns: columnNames },
      ...{ referencedColumns: referencedColumnNames, referencedTable: referencedTablePath },
    });
  }
  return [...found.values()];
}
