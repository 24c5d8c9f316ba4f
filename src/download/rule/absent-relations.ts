import type { EntityMetadata, ObjectLiteral } from "typeorm";

/** A relation that an entity, or one that is related to it, has no value for. */
export interface AbsentRelation {
  /** The properties that lead to it. */
  path: string[];
  /** Whether it was loaded, and is `null`. */
  isLoaded: boolean;
}

/**
 * The relations that a function's own text names and that an entity has no value for. The entity stays as it is, and lazy relations are
 * not read: that would load them.
 */
export function absentRelations(
  reader: (...args: never[]) => unknown,
  metadata: EntityMetadata,
  entity: ObjectLiteral,
): AbsentRelation[] {
  const source = Function.prototype.toString.call(reader);
  const words = new Set(source.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
  return [...absent(metadata, entity, [], new Set())].filter(({ path }) => words.has(path.at(-1)!));
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
    if (value === undefined || value === null) yield { path, isLoaded: value === null };
    else
      for (const one of [value].flat()) yield* absent(relation.inverseEntityMetadata, one as ObjectLiteral, path, seen);
  }
}
