import type { DataSource, EntityMetadata, ObjectLiteral, ReplicationMode } from "typeorm";
import * as typeorm from "typeorm";

/** TypeORM's loader of lazy relations, which it does not export. */
type RelationLoader = DataSource["relationLoader"];
type RelationMetadata = EntityMetadata["relations"][number];

/**
 * The same data source without a cache of query results. TypeORM has no option for that: `cache(false)` on a query is not passed on to
 * the queries that load its `@RelationId`s, and its relations under `relationLoadStrategy: "query"`. The data source itself is left as it is.
 *
 * @param server with replication, which one answers: where it is absent, the one that TypeORM chooses for reading.
 */
export function withoutCache(dataSource: DataSource, server?: ReplicationMode): DataSource {
  const uncached: DataSource = Object.create(dataSource, {
    queryResultCache: { value: undefined },
    // Other packages, such as typeorm-transactional, replace it to bind each query to the transaction of a request. Queries here outlive it.
    createQueryBuilder: { value: typeorm.DataSource.prototype.createQueryBuilder },
    // Connections know their manager, and SQLite has only one connection: they stay those of the data source.
    createQueryRunner: { value: (mode?: ReplicationMode) => dataSource.createQueryRunner(server ?? mode) },
  });
  return Object.defineProperty(uncached, "relationLoader", { value: uncachedLoader(uncached) });
}

/**
 * Lets the lazy relations of an entity, and of everything that was loaded with it, be loaded without a cache, too.
 *
 * @param uncached what {@link withoutCache} returned.
 */
export function loadLazilyWithoutCache(uncached: DataSource, metadata: EntityMetadata, entity: ObjectLiteral): void {
  if (Object.getPrototypeOf(uncached).queryResultCache) enable(uncached.relationLoader, metadata, entity, new Set());
}

function uncachedLoader(uncached: DataSource): RelationLoader {
  const { relationLoader } = Object.getPrototypeOf(uncached) as DataSource;
  // TypeORM 0.3 calls the data source a connection.
  const loader: RelationLoader = Object.create(relationLoader, {
    dataSource: { value: uncached },
    connection: { value: uncached },
  });
  const load: RelationLoader["load"] = async (relation, ...rest) => {
    const entities = await relationLoader.load.call(loader, relation, ...rest);
    for (const entity of entities) enable(loader, relation.inverseEntityMetadata, entity, new Set());
    return entities;
  };
  return Object.assign(loader, { load });
}

function enable(
  loader: RelationLoader,
  declared: EntityMetadata,
  entity: ObjectLiteral,
  done: Set<ObjectLiteral>,
): void {
  if (done.has(entity)) return;
  done.add(entity);
  const metadata = declared.findInheritanceMetadata(entity);
  for (const relation of metadata.lazyRelations) loader.enableLazyLoad(relation, entity);
  for (const relation of metadata.relations) {
    for (const related of loaded(relation, entity)) enable(loader, relation.inverseEntityMetadata, related, done);
  }
}

function loaded(relation: RelationMetadata, entity: ObjectLiteral): ObjectLiteral[] {
  // TypeORM can't load lazy relations of an embedded entity.
  if (relation.isLazy && relation.embeddedMetadata) return [];
  const value: unknown = relation.getEntityValue(entity);
  return [value].flat().filter((one): one is ObjectLiteral => typeof one === "object" && one !== null);
}
