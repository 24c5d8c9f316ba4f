import type { EntityMetadata, ObjectLiteral, QueryRunner, SelectQueryBuilder } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import { rowLock } from "./dialect.js";
import { rootOf } from "./named-keys.js";

/** The keys that a row has, in the order of the columns that were asked for; `undefined` when there is no such row. */
export type RowKeys = (string | null)[] | undefined;

/** How many primary keys one statement asks for: every database takes as many parameters. */
const BATCH = 5000;

/** A row that is asked for, and the promise of its answer. */
interface Request {
  id: ObjectLiteral;
  columns: PrivateColumn[];
  resolve(keys: RowKeys): void;
  reject(error: unknown): void;
}

/**
 * Reads which keys rows have at this moment, past every cache. TypeORM prepares all rows of one `save` before it waits for any,
 * so what is asked for at the same time is read with one statement for each table.
 */
export class RowKeyReader {
  readonly #waiting = new WeakMap<QueryRunner, Map<string, Request[]>>();
  readonly #turns = new WeakMap<QueryRunner, Promise<unknown>>();

  /**
   * Reads one row.
   *
   * @param columns columns of one table.
   * @param lock whether to lock the row until the transaction ends, so that nothing else changes its keys meanwhile.
   */
  read(runner: QueryRunner, columns: PrivateColumn[], id: ObjectLiteral, lock: boolean): Promise<RowKeys> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(runner) ?? new Map<string, Request[]>();
      if (waiting.size === 0) this.#schedule(runner, waiting);
      const group = `${lock} ${rootOf(columns[0]!.entity).tablePath}`;
      const requests = waiting.get(group) ?? [];
      waiting.set(group, requests);
      requests.push({ id, columns, resolve, reject });
    });
  }

  /** One connection is no place for several statements at the same time, so each batch waits for the one before. */
  #schedule(runner: QueryRunner, waiting: Map<string, Request[]>): void {
    this.#waiting.set(runner, waiting);
    const turn = (this.#turns.get(runner) ?? Promise.resolve()).then(async () => {
      this.#waiting.delete(runner);
      for (const [group, requests] of waiting) {
        await readRows(runner, requests, group.startsWith("true")).catch((error: unknown) => {
          for (const { reject } of requests) reject(error);
        });
      }
    });
    this.#turns.set(runner, turn);
  }
}

async function readRows(runner: QueryRunner, requests: Request[], lock: boolean): Promise<void> {
  const entity = rootOf(requests[0]!.columns[0]!.entity);
  for (let start = 0; start < requests.length; start += BATCH) {
    const batch = requests.slice(start, start + BATCH);
    const columns = [...new Set(batch.flatMap((request) => request.columns))];
    const rows = await select(runner, entity, columns, batch, lock);
    const byId = new Map(rows.map((row) => [idText(entity, readPrimaryKey(entity, "entity", row)), row]));
    for (const request of batch) {
      const known = batch.length === 1 ? rows[0] : byId.get(idText(entity, request.id));
      // A database may write a primary key differently from the application. Then the row is read by itself.
      const row = known ?? (batch.length > 1 ? (await select(runner, entity, columns, [request], lock))[0] : known);
      const names = request.columns.map((column) => `key${columns.indexOf(column)}`);
      request.resolve(row && names.map((name) => row[name] ?? null));
    }
  }
}

type Row = Record<string, string | null | undefined>;

async function select(
  runner: QueryRunner,
  entity: EntityMetadata,
  columns: PrivateColumn[],
  requests: Request[],
  lock: boolean,
): Promise<Row[]> {
  const query = runner.manager.createQueryBuilder<ObjectLiteral>(entity.target, "entity").withDeleted().cache(false);
  selectPrimaryKey(query.whereInIds(requests.map(({ id }) => id)).select([]), "entity", entity);
  for (const [index, column] of columns.entries()) query.addSelect(`entity.${column.propertyPath}`, `key${index}`);
  return locking(runner, query, lock).getRawMany<Row>();
}

function locking(runner: QueryRunner, query: SelectQueryBuilder<ObjectLiteral>, lock: boolean) {
  // No row of a view can be locked where it groups rows; its tables lock what they change themselves.
  const isTable = query.expressionMap.mainAlias?.metadata.tableType !== "view";
  const kind = lock && isTable && runner.isTransactionActive ? rowLock(dataSourceOf(runner)) : undefined;
  return kind ? query.setLock(kind) : query;
}

/** Adds the primary key of an entity, which the query knows by an alias, to the columns that a query selects. */
export function selectPrimaryKey<T extends SelectQueryBuilder<ObjectLiteral>>(
  query: T,
  alias: string,
  entity: EntityMetadata,
): T {
  for (const [index, { propertyPath }] of entity.primaryColumns.entries()) {
    query.addSelect(`${alias}.${propertyPath}`, `${alias}Key${index}`);
  }
  return query;
}

/** The primary key that {@link selectPrimaryKey} has selected, as the properties of an entity. */
export function readPrimaryKey(entity: EntityMetadata, alias: string, row: Record<string, unknown>): ObjectLiteral {
  const id: ObjectLiteral = {};
  for (const [index, column] of entity.primaryColumns.entries()) {
    const value = dataSourceOf(entity).driver.prepareHydratedValue(row[`${alias}Key${index}`], column);
    column.setEntityValue(id, value);
  }
  return id;
}

/** The same text for the same primary key, whether it is a number, a text or a BigInt. */
export function idText(entity: EntityMetadata, id: ObjectLiteral): string {
  const values = entity.primaryColumns.map((column) => column.getEntityValue(id, true));
  return JSON.stringify(values, (_, value) => (typeof value === "object" ? value : String(value)));
}
