import type { EntityMetadata, ObjectLiteral, QueryRunner, SelectQueryBuilder } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { isInexpressible, rowLock } from "./dialect.js";
import { type KeyColumn, rootOf } from "./named-keys.js";

/**
 * The keys that a row names now, in the order of the columns, which are all of one table; `undefined` when there is no such
 * row. Inside a transaction the row is locked, so that nobody else changes them until it ends: what TypeORM loaded before may be out of date.
 */
export async function keysOfRow(
  runner: QueryRunner,
  columns: PrivateColumn[],
  id: ObjectLiteral,
): Promise<(string | null)[] | undefined> {
  const query = rowsOf(runner, rootOf(columns[0]!.entity)).whereInIds([id]).select([]);
  for (const [index, column] of columns.entries()) query.addSelect(`entity.${column.propertyPath}`, `key${index}`);
  const row = await locking(runner, query).getRawOne<Record<string, string | null>>();
  return row && columns.map((_, index) => row[`key${index}`] ?? null);
}

/**
 * Whether a row names a key. Inside a transaction that row is locked, so that it goes on doing so until the transaction ends.
 * It is locked by its primary key: by the key alone some databases lock every row that they look at.
 */
export async function isNamed(runner: QueryRunner, columns: KeyColumn[], key: string): Promise<boolean> {
  for (const column of columns) {
    for (const id of await idsNaming(runner, column, key)) {
      const query = rowsOf(runner, column.entity).select(`entity.${column.propertyPath}`, "key");
      whereId(query, column.entity, id).andWhere(`entity.${column.propertyPath} = :key`, { key });
      if ((await locking(runner, query).getRawOne<{ key: string }>())?.key === key) return true;
    }
  }
  return false;
}

/** Does one thing after the other for each query runner: one connection is no place for queries at the same time. */
export class Turns {
  readonly #last = new WeakMap<QueryRunner, Promise<unknown>>();

  /** Does something when all before it is done, whatever came of that. */
  async take<T>(runner: QueryRunner, doing: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(runner) ?? Promise.resolve()).then(doing, doing);
    this.#last.set(runner, turn);
    return turn;
  }
}

function rowsOf(runner: QueryRunner, entity: EntityMetadata): SelectQueryBuilder<ObjectLiteral> {
  return runner.manager.createQueryBuilder<ObjectLiteral>(entity.target, "entity").withDeleted().cache(false);
}

function locking(runner: QueryRunner, query: SelectQueryBuilder<ObjectLiteral>): SelectQueryBuilder<ObjectLiteral> {
  const lock = runner.isTransactionActive ? rowLock(runner.dataSource) : undefined;
  return lock ? query.setLock(lock) : query;
}

async function idsNaming(runner: QueryRunner, { entity, propertyPath }: KeyColumn, key: string) {
  const query = rowsOf(runner, entity).select([]).where(`entity.${propertyPath} = :key`, { key });
  for (const [index, id] of entity.primaryColumns.entries()) {
    query.addSelect(`entity.${id.propertyPath}`, `id${index}`);
  }
  return query.getRawMany<Record<string, unknown>>().catch((error): Record<string, unknown>[] => {
    if (isInexpressible(error)) return [];
    throw error;
  });
}

function whereId(query: SelectQueryBuilder<ObjectLiteral>, entity: EntityMetadata, row: Record<string, unknown>) {
  for (const [index, id] of entity.primaryColumns.entries()) {
    query.andWhere(`entity.${id.propertyPath} = :id${index}`, { [`id${index}`]: row[`id${index}`] });
  }
  return query;
}
