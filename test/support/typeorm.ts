import { readFileSync } from "node:fs";
import { EntityManager, type EntityTarget, type ObjectLiteral } from "typeorm";

/** The version of TypeORM that is installed. */
export const typeormVersion: string = JSON.parse(
  readFileSync(new URL("package.json", import.meta.resolve("typeorm")), "utf8"),
).version;

const [major] = typeormVersion.split(".").map(Number) as [number];

/** Why tests are skipped of what TypeORM does since 1.0; `false` where it does. */
export const needsTypeOrm1: string | false = major < 1 && "that need TypeORM 1";

/** Why tests are skipped of `updateAll` and `deleteAll`, which TypeORM has since 0.3.21; `false` where it does. */
export const needsUpdateAll: string | false = !("updateAll" in EntityManager.prototype) && "that need TypeORM 0.3.21";

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
