import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import { dataSourceOf } from "../../column/data-source.js";
import { escapedTable, isMysql } from "../../database/dialect.js";
import { idText, readPrimaryKey, selectPrimaryKey } from "../../database/row-keys.js";
import { completeWhere } from "../../database/where/complete-where.js";
import { isNumberForText } from "../../database/where/leaf-value.js";
import type { Cascade } from "./cascades.js";
import { stillThere, unsafeCriteria } from "./removal-errors.js";

/** How many rows are removed at a time. */
export const PAGE = 100;

/** A row that is to be removed. */
export interface Row {
  /** The same text for the same row. */
  text: string;
  /** Its primary key, as the properties of an entity. */
  id: ObjectLiteral;
  /** Its primary key, as the database writes it. */
  exact: string;
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
  const keys = Array.isArray(criteria) ? Array.from(criteria) : [criteria];
  if (keys.some(isLikePrimaryKey) && !keys.some(isCondition)) {
    const [wrong] = keys.filter((key) => !isPrimaryKeyValue(key)).map(String);
    if (wrong !== undefined) throw unsafeCriteria(entity, `a primary key is ${wrong || "an empty text"}`);
    if (keys.some((key) => isNumberForText(entity.primaryColumns[0]!, key))) {
      throw unsafeCriteria(
        entity,
        "the primary key is a text, and a number is given, which the database compares as 0",
      );
    }
    // Given a date as it is, TypeORM takes it for an object with the primary key as a property.
    const [column] = entity.primaryColumns;
    if (!entity.hasMultiplePrimaryKeys) return query.whereInIds(keys.map((key) => column!.createValueMap(key)));
    throw unsafeCriteria(entity, "the primary key has several columns, and one value is given");
  }
  const where = completeWhere(entity, criteria, (problem) => unsafeCriteria(entity, problem), true);
  query.setFindOptions({ where, loadEagerRelations: false });
  return query.distinct(query.expressionMap.joinAttributes.length > 0);
}

/** The first page of the rows that a query finds. */
export async function firstRows(manager: EntityManager, entity: EntityMetadata, query: Query): Promise<Row[]> {
  const page = selectRow(query.clone().setQueryRunner(manager.queryRunner!).select([]), "entity", entity);
  const found = await (await locked(page, entity)).limit(PAGE).getRawMany<Record<string, unknown>>();
  return found.map((raw) => readRow(entity, "entity", raw));
}

/**
 * Makes sure that the primary keys of rows, as the driver reads them, are those of no other rows: it may round a large integer, or the
 * fraction of a second. Costs a SELECT if there is such a value among them.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_REMOVED` if they are.
 */
export async function assertExact(manager: EntityManager, entity: EntityMetadata, rows: Row[]): Promise<void> {
  const values = rows.flatMap(({ id }) => entity.primaryColumns.map((column) => column.getEntityValue(id, true)));
  if (values.every((value) => typeof value === "string" || Number.isSafeInteger(value))) return;
  const exact = new Set(rows.map((one) => one.exact));
  const query = selectRow(rowsWithIds(manager, entity, rows).select([]), "entity", entity);
  const found = await query.getRawMany<Record<string, unknown>>();
  if (found.some((raw) => !exact.has(readRow(entity, "entity", raw).exact))) throw stillThere(entity);
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
  selectRow(selectRow(query, "entity", parent), "child", entity);
  const found = await current(query)
    .limit(PAGE + rows.length)
    .getRawMany<Record<string, unknown>>();
  const own = new Map(rows.map((one) => [one.text, one]));
  return found
    .map((raw) => readRow(entity, "child", raw, own.get(readRow(parent, "entity", raw).text)))
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

/**
 * PostgreSQL's `DELETE` looks again at a row that another transaction has changed meanwhile; a lock keeps it from changing. The lock needs a
 * right that `DELETE` does not need, and PostgreSQL has none for DISTINCT.
 */
async function locked(query: Query, entity: EntityMetadata): Promise<Query> {
  if (dataSourceOf(query).options.type !== "postgres") return current(query);
  const isLockable = !query.expressionMap.selectDistinct && entity.tableType !== "view";
  if (!isLockable || !(await mayLock(query, entity))) return query;
  return query.setLock("pessimistic_write", undefined, [query.alias]);
}

const lockable = new WeakMap<EntityMetadata, boolean>();

async function mayLock(query: Query, entity: EntityMetadata): Promise<boolean> {
  const known = lockable.get(entity);
  if (known !== undefined) return known;
  const dataSource = dataSourceOf(query);
  const ask = "SELECT has_any_column_privilege(to_regclass($1), 'UPDATE') AS may";
  const [{ may }] = await dataSource.query(ask, [escapedTable(dataSource, entity)]);
  lockable.set(entity, may);
  return may;
}

/** On MySQL and MariaDB an ordinary SELECT also sees rows that others have deleted since the transaction began. */
function current(query: Query): Query {
  return isMysql(dataSourceOf(query)) ? query.setLock("pessimistic_write") : query;
}

/** Adds the primary key of an entity to what a query selects, as the driver reads it and as the database writes it. */
function selectRow(query: Query, alias: string, entity: EntityMetadata): Query {
  const type = isMysql(dataSourceOf(query)) ? "CHAR" : "TEXT";
  for (const [index, { propertyPath }] of entity.primaryColumns.entries()) {
    query.addSelect(`CAST(${alias}.${propertyPath} AS ${type})`, `${alias}Exact${index}`);
  }
  return selectPrimaryKey(query, alias, entity);
}

function readRow(entity: EntityMetadata, alias: string, raw: Record<string, unknown>, parent?: Row): Row {
  const id = readPrimaryKey(entity, alias, raw);
  const exact = entity.primaryColumns.map((_, index) => String(raw[`${alias}Exact${index}`]));
  return { text: `${entity.tablePath} ${idText(entity, id)}`, id, exact: JSON.stringify(exact), parent };
}
