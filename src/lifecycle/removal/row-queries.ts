import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import { completeWhere } from "../../database/complete-where.js";
import { isMysql } from "../../database/dialect.js";
import { idText, readPrimaryKey, selectPrimaryKey } from "../../database/row-keys.js";
import type { Cascade } from "./cascades.js";
import { unsafeCriteria } from "./removal-errors.js";

/** How many rows are removed at a time. */
export const PAGE = 100;

/** A row that is to be removed. */
export interface Row {
  /** The same text for the same row. */
  text: string;
  /** Its primary key, as the properties of an entity. */
  id: ObjectLiteral;
  /** The row with which the database would delete it; `undefined` for one that matches the criteria itself. */
  parent?: Row;
}

type Query = SelectQueryBuilder<ObjectLiteral>;

/**
 * The query for the rows that `delete` would delete, soft-deleted ones included. It is made once: each time that TypeORM makes one
 * from a condition, it transforms the values of operators again.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_CRITERIA` for criteria that could match more.
 */
export function matchingRows({ manager }: DataSource, entity: EntityMetadata, criteria: unknown): Query {
  const query = manager.createQueryBuilder<ObjectLiteral>(entity.target, "entity").withDeleted().cache(false);
  const keys = [criteria].flat();
  if (keys.some(isLikePrimaryKey) && !keys.some(isCondition)) {
    const [wrong] = keys.filter((key) => !isPrimaryKeyValue(key)).map(String);
    if (wrong !== undefined) throw unsafeCriteria(entity, `a primary key is ${wrong || "an empty text"}`);
    // Given a date as it is, TypeORM takes it for an object with the primary key as a property.
    const [column] = entity.primaryColumns;
    if (!entity.hasMultiplePrimaryKeys) return query.whereInIds(keys.map((key) => column!.createValueMap(key)));
    throw unsafeCriteria(entity, "the primary key has several columns, and one value is given");
  }
  const where = completeWhere(entity, criteria, (problem) => unsafeCriteria(entity, problem));
  query.setFindOptions({ where, loadEagerRelations: false });
  return query.distinct(query.expressionMap.joinAttributes.length > 0);
}

/** The first page of the rows that a query finds. */
export async function firstRows(manager: EntityManager, entity: EntityMetadata, query: Query): Promise<Row[]> {
  const page = selectPrimaryKey(query.clone().setQueryRunner(manager.queryRunner!).select([]), "entity", entity);
  const found = await current(page).limit(PAGE).getRawMany<Record<string, unknown>>();
  return found.map((raw) => row(entity, readPrimaryKey(entity, "entity", raw)));
}

/** Rows that the database would delete with those of a page. They are a page as well, and none of the page itself. */
export async function cascadedRows(
  manager: EntityManager,
  cascade: Cascade,
  parent: EntityMetadata,
  rows: Row[],
): Promise<Row[]> {
  const { entity, columns, referencedColumns } = cascade;
  const query = rowsWithIds(manager, parent, rows).select([]);
  const name = (alias: string, column: string) => `${query.escape(alias)}.${query.escape(column)}`;
  const pairs = columns.map(
    (column, index) => `${name("child", column)} = ${name("entity", referencedColumns[index]!)}`,
  );
  query.innerJoin(entity.target, "child", pairs.join(" AND "));
  selectPrimaryKey(selectPrimaryKey(query, "entity", parent), "child", entity);
  const found = await current(query)
    .limit(PAGE + rows.length)
    .getRawMany<Record<string, unknown>>();
  const own = new Map(rows.map((one) => [one.text, one]));
  return found
    .map((raw) => {
      const { text } = row(parent, readPrimaryKey(parent, "entity", raw));
      return row(entity, readPrimaryKey(entity, "child", raw), own.get(text));
    })
    .filter(({ text }) => !own.has(text))
    .slice(0, PAGE);
}

/** The entities of those rows that are there, whole, with their eager relations. */
export function loadRows(manager: EntityManager, entity: EntityMetadata, rows: Row[]): Promise<ObjectLiteral[]> {
  // Without find options TypeORM loads no eager relations.
  return rowsWithIds(manager, entity, rows).setFindOptions({}).getMany();
}

/** Whether the database has any of some rows. */
export async function hasRows(manager: EntityManager, entity: EntityMetadata, rows: Row[]): Promise<boolean> {
  const query = selectPrimaryKey(rowsWithIds(manager, entity, rows).select([]), "entity", entity);
  return (await query.limit(1).getRawMany()).length > 0;
}

function isLikePrimaryKey(value: unknown): boolean {
  return ["string", "number", "bigint"].includes(typeof value) || value instanceof Date;
}

function isCondition(value: unknown): boolean {
  return typeof value === "object" && value !== null && !(value instanceof Date);
}

/** An empty text, an invalid number and an invalid date are not primary keys. */
function isPrimaryKeyValue(value: unknown): boolean {
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  return typeof value === "string" ? value !== "" : typeof value === "bigint" || Number.isFinite(value);
}

function rowsWithIds(manager: EntityManager, { target }: EntityMetadata, rows: Row[]): Query {
  const query = manager.createQueryBuilder<ObjectLiteral>(target, "entity").withDeleted().cache(false);
  return query.whereInIds(rows.map(({ id }) => id));
}

/** On MySQL and MariaDB an ordinary SELECT also sees rows that others have deleted since the transaction began. */
function current(query: Query): Query {
  return isMysql(query.dataSource) ? query.setLock("pessimistic_write") : query;
}

function row(entity: EntityMetadata, id: ObjectLiteral, parent?: Row): Row {
  return { text: `${entity.tablePath} ${idText(entity, id)}`, id, parent };
}
