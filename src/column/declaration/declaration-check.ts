import type { EntityMetadata } from "typeorm";
import { ConfigurationError } from "../../errors.js";
import { shown } from "../../quoted.js";
import type { ColumnMetadata, PrivateColumn } from "../private-column.js";
import { PrivateFileTransformer } from "../private-file-transformer.js";
import { shortestKey } from "../upload-to.js";

/**
 * Checks what a column's declaration says of its entity, once TypeORM knows that.
 *
 * @throws ConfigurationError when `fields` names a property that is not a column, or one that something else fills, `relations` one that is not a
 * relation, or when no key fits into the column.
 */
export function checkDeclaration(column: PrivateColumn): void {
  checkFields(column);
  checkLength(column);
  checkRelations(column, column.entity, column.options.relations ?? {}, "");
}

function checkFields(column: PrivateColumn): void {
  for (const [field, property] of Object.entries(column.options.fields ?? {})) {
    if (property === undefined) continue;
    const sibling = column.sibling(property);
    const kind = kindThatIsNotFilled(sibling);
    if (kind !== undefined) {
      throw new ConfigurationError(
        `${column.subject}: "fields.${field}" must be a column that nothing else fills, got "${property}", which is ${kind}. Declare one with @Column.`,
      );
    }
    checkRoom(column, field, property, sibling);
  }
}

/** How many characters the values of a field have. A name is cut where its column is shorter. */
const CHARACTERS: Record<string, number> = { type: 80, sha256: 64 };

function checkRoom(column: PrivateColumn, field: string, property: string, sibling: ColumnMetadata): void {
  const [needed, length] = [CHARACTERS[field] ?? 0, column.lengthOf(sibling)];
  if (length >= needed) return;
  throw new ConfigurationError(
    `${column.subject}: "fields.${field}" must be a column with room for ${needed} characters, got "${property}", which has room for ${length}. Give it a greater "length".`,
  );
}

function kindThatIsNotFilled(column: ColumnMetadata): string | undefined {
  if (column.relationMetadata) return "a relation";
  if (column.transformer instanceof PrivateFileTransformer) return "a private file";
  if (column.isPrimary) return "a primary key";
  const { isGenerated, isVersion, isCreateDate, isUpdateDate, isDeleteDate, isDiscriminator, isVirtualProperty } =
    column;
  const isFilled = isGenerated || isVersion || isCreateDate || isUpdateDate || isDeleteDate || isDiscriminator;
  return isFilled || isVirtualProperty ? "a column that TypeORM or the database fills" : undefined;
}

/** Nothing is attached to a view. */
function checkLength({ subject, entity, options: { length, uploadTo } }: PrivateColumn): void {
  if (length === undefined || entity.tableType === "view") return;
  const shortest = shortestKey(uploadTo ?? "");
  if (Number(length) >= shortest) return;
  throw new ConfigurationError(
    `${subject}: "length" must be ${shortest} or more, got ${length}. Give it room for a name as well, such as ${shortest + 99}, or a shorter "uploadTo".`,
  );
}

function checkRelations(
  column: PrivateColumn,
  entity: EntityMetadata,
  relations: object,
  parent: string,
  embedded = "",
) {
  for (const [property, value] of Object.entries(relations)) {
    const path = embedded + property;
    const related = entity.findRelationWithPropertyPath(path)?.inverseEntityMetadata;
    const isEmbedded = entity.findEmbeddedWithPropertyPath(path) !== undefined;
    const name = `"relations.${parent}${property}"`;
    if (!related && !isEmbedded) throw unknownRelation(column, entity, name);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const prefix = isEmbedded ? `${path}.` : "";
      checkRelations(column, related ?? entity, value, `${parent}${property}.`, prefix);
    } else if (value !== undefined && typeof value !== "boolean") {
      throw new ConfigurationError(
        `${column.subject}: ${name} must be true or an object, got ${shown(value)}. Give { ${property}: true }.`,
      );
    }
  }
}

function unknownRelation({ subject }: PrivateColumn, entity: EntityMetadata, name: string): ConfigurationError {
  const known = entity.relations.map(({ propertyPath }) => propertyPath);
  const advice = known.length > 0 ? `Use one of ${known.join(", ")}` : "Leave it out";
  return new ConfigurationError(
    `${subject}: ${name} must be a relation, got a property that ${entity.name} does not have as one. ${advice}.`,
  );
}
