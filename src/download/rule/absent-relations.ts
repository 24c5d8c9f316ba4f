import type { EntityMetadata, ObjectLiteral } from "typeorm";

type RelationMetadata = EntityMetadata["relations"][number];

/** A relation that an entity, or one that is related to it, has no value for. */
export interface AbsentRelation {
  /** TypeORM's metadata of the relation. */
  relation: RelationMetadata;
  /** The properties that lead to it. */
  path: string[];
  /** Whether it was loaded, and is `null`. */
  isLoaded: boolean;
}

/**
 * The relations that a function's own text names and that an entity has no value for. A relation whose key is a property that the text
 * names as well does not count. The entity stays as it is, and lazy relations are not read: that would load them.
 */
export function absentRelations(
  reader: (...args: never[]) => unknown,
  metadata: EntityMetadata,
  entity: ObjectLiteral,
): AbsentRelation[] {
  const names = namesIn(reader);
  return [...absent(metadata, entity, [], new Set())].filter(
    ({ path, relation }) => names.has(path.at(-1)!) && !keysOf(relation).some((key) => names.has(key)),
  );
}

/** The names in a function's text, without those of properties of `ctx.state`: the user there is not a relation. */
function namesIn(reader: (...args: never[]) => unknown): Set<string> {
  const source = Function.prototype.toString.call(reader).replace(/\bstate\s*[?!]?\s*\.\s*[\p{ID_Continue}$]+/gu, "");
  return new Set(source.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
}

/** The properties that have a relation's foreign key, such as `userId` beside `user`. */
function keysOf({ joinColumns, propertyName }: RelationMetadata): string[] {
  return joinColumns.map((column) => column.propertyName).filter((name) => name !== propertyName);
}

function* absent(
  { relations }: EntityMetadata,
  entity: ObjectLiteral,
  parent: string[],
  seen: Set<ObjectLiteral>,
): Generator<AbsentRelation> {
  if (seen.has(entity)) return;
  seen.add(entity);
  for (const relation of relations.filter(({ isLazy }) => !isLazy)) {
    const value: unknown = relation.getEntityValue(entity);
    const path = [...parent, ...relation.propertyPath.split(".")];
    if (value === undefined || value === null) yield { relation, path, isLoaded: value === null };
    else
      for (const one of [value].flat()) yield* absent(relation.inverseEntityMetadata, one as ObjectLiteral, path, seen);
  }
}
