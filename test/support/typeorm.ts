import { readFileSync } from "node:fs";
import type { EntityManager, EntityTarget, ObjectLiteral } from "typeorm";
import { isOlder } from "../../src/version.js";

const typeormVersion: string = JSON.parse(
  readFileSync(new URL("package.json", import.meta.resolve("typeorm")), "utf8"),
).version;

/** Why tests are skipped of what TypeORM does since a version; `false` where it does. */
export function needsTypeOrm(version: string): string | false {
  return isOlder(typeormVersion, version) && `that need TypeORM ${version}`;
}

/** Deletes all rows of an entity, as TypeORM's `deleteAll` does. */
export async function deleteAll(manager: EntityManager, entity: EntityTarget<ObjectLiteral>): Promise<void> {
  await manager.createQueryBuilder().delete().from(entity).execute();
}

/** Updates all rows of an entity, as TypeORM's `updateAll` does. */
export async function updateAll(
  manager: EntityManager,
  entity: EntityTarget<ObjectLiteral>,
  values: ObjectLiteral,
): Promise<void> {
  await manager.createQueryBuilder().update(entity).set(values).execute();
}
