import type { Context } from "koa";
import type { DataSource, ObjectLiteral, ReplicationMode, SelectQueryBuilder } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { isInexpressible } from "../database/dialect.js";
import { ENTITY, PrimaryKeyQuery } from "../database/primary-key-query.js";
import { loadLazilyWithoutCache, withoutCache } from "../database/uncached-data-source.js";
import { completeWhere, type Where } from "../database/where/complete-where.js";
import { PrivateFileError } from "../errors.js";
import { leaveUnawaited } from "../unawaited.js";
import type { Location } from "./routes/locate.js";

/** Loads the entities that URLs name. */
export class EntityLoader {
  private readonly prepared = new Map<PrivateColumn, PrimaryKeyQuery>();
  private readonly dataSource: DataSource;

  /** @param server which one of a replicated database is asked: by default the one that TypeORM chooses. */
  constructor(dataSource: DataSource, server?: ReplicationMode) {
    // A data source may cache the results of all queries, which would outlive a revoked permission.
    this.dataSource = withoutCache(dataSource, server);
  }

  /**
   * Loads an entity, with one SELECT: no soft-deleted row, and none that the column's `where` leaves out. It is TypeORM's own
   * entity, with the column's `relations`. The SELECT's text is made once for a column, or anew where `where` may change it.
   *
   * @throws what TypeORM or `where` throws.
   */
  async load({ column, primaryKey }: Location, ctx: Context): Promise<ObjectLiteral | undefined> {
    const where: unknown = column.options.where ? column.options.where(ctx) : true;
    if (where === false) return undefined;
    const query = where === true ? this.preparedFor(column) : this.prepare(column, visibleRows(column, where));
    const entity = await query.entityWithKey(primaryKey).catch(unlessInexpressible);
    if (!entity || !isOfClass(column, entity)) return undefined;
    loadLazilyWithoutCache(this.dataSource, column.entity, entity);
    return entity;
  }

  private preparedFor(column: PrivateColumn): PrimaryKeyQuery {
    const known = this.prepared.get(column) ?? this.prepare(column);
    this.prepared.set(column, known);
    return known;
  }

  private prepare(column: PrivateColumn, where?: Where): PrimaryKeyQuery {
    const query = this.dataSource.createQueryBuilder<ObjectLiteral>(column.entity.target, ENTITY);
    query.setFindOptions({ where, relations: relationsOf(column) });
    selectHiddenColumns(query, column);
    return new PrimaryKeyQuery(this.dataSource, query, column.entity.primaryColumns);
  }
}

function visibleRows(column: PrivateColumn, where: unknown): Where {
  // Nobody else would notice that a promise rejects, and the process would end.
  leaveUnawaited(where);
  return completeWhere(
    column.entity,
    where,
    (problem) =>
      new PrivateFileError(
        "ERR_PRIVATE_FILE_FAILED",
        `${column.subject}: "where" would let more rows through than intended: ${problem}. Return a condition for every request, not a promise of one; true means all rows, false none, and IsNull() asks for NULL.`,
      ),
  );
}

/** A primary key that is a relation can only be read off the entity when that is loaded. */
function relationsOf(column: PrivateColumn): ObjectLiteral {
  const keys = column.entity.primaryColumns.flatMap((key) => key.relationMetadata?.propertyName ?? []);
  return { ...Object.fromEntries(keys.map((key) => [key, true])), ...column.options.relations };
}

function selectHiddenColumns(query: SelectQueryBuilder<ObjectLiteral>, column: PrivateColumn): void {
  const siblings = column.fieldColumns.map(([, sibling]) => sibling);
  for (const needed of [column.column, ...siblings, ...column.entity.primaryColumns]) {
    if (!needed.isSelect) query.addSelect(`${ENTITY}.${needed.propertyPath}`);
  }
}

/** No row can have such a key. */
function unlessInexpressible(error: unknown): null {
  if (isInexpressible(error)) return null;
  throw error;
}

/** With single table inheritance a parent's URL would find a child's row, and skip what the child declares. */
function isOfClass(column: PrivateColumn, entity: ObjectLiteral): boolean {
  const { target } = column.entity;
  return typeof target !== "function" || entity.constructor === target;
}
