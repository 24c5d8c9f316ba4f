import type { DataSource } from "typeorm";

/** What TypeORM makes for a data source: a query runner, an entity manager, the metadata of an entity, a query builder, an event. */
export interface OfDataSource {
  /** Its name since TypeORM 1.0. */
  readonly dataSource?: DataSource;
  /** Its name in TypeORM 0.3, and deprecated since. */
  readonly connection?: DataSource;
}

/** The data source that something belongs to, in every version of TypeORM. */
export function dataSourceOf(owner: OfDataSource): DataSource {
  return (owner.dataSource ?? owner.connection) as DataSource;
}
