import type { ObjectLiteral } from "typeorm";
import { described } from "../described.js";
import { PrivateFileError } from "../errors.js";
import type { PrivateColumn } from "./private-column.js";
import type { FileRecord, PrivateFile } from "./private-file.js";

/**
 * The file of an entity.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when there is none; the message says why.
 */
export function existingFile(column: PrivateColumn, entity: ObjectLiteral): PrivateFile {
  const file = column.fileOf(entity);
  if (file) return file;
  throw notFound(column, whyMissing(column, entity));
}

/**
 * The file of an entity that a row has, or gets in a transaction that is open: others may be told of it.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when there is none; the message says why.
 */
export function savedFile(column: PrivateColumn, entity: ObjectLiteral): PrivateFile {
  const file = existingFile(column, entity);
  const reason = whyNotSaved(column.recordOf(entity)!);
  if (reason === undefined) return file;
  throw notFound(column, reason);
}

function whyMissing(column: PrivateColumn, entity: ObjectLiteral): string {
  const value: unknown = column.column.getEntityValue(entity);
  if (value === null || value === "") return "there is no file. Attach one, and save the entity.";
  if (value !== undefined) return `the property must be a PrivateFile, got ${described(value)}. Load the entity again.`;
  if (!column.entity.hasId(entity)) return "there is no file. Attach one, and save the entity.";
  return `the column was not loaded. ${howToLoad(column)}.`;
}

function howToLoad({ entity, column }: PrivateColumn): string {
  return column.isSelect
    ? `Add "${column.propertyPath}" to the "select" that the entity was loaded with`
    : `It has select: false, so ask for it with a query builder: addSelect("${entity.name}.${column.propertyPath}")`;
}

/** An adopted object counts as saved: whether a row has it is not followed. */
function whyNotSaved({ state, expiresAt, isAdopted }: FileRecord): string | undefined {
  if (state === "discarded")
    return "the file was deleted, since no row got it in time or another one replaced it. Attach it again.";
  if (state !== "attached" || isAdopted) return undefined;
  return expiresAt === undefined
    ? "the file is attached, but not saved. Save the entity first."
    : "saving the file was rolled back. Save the entity again.";
}

function notFound({ subject }: PrivateColumn, reason: string): PrivateFileError {
  return new PrivateFileError("ERR_PRIVATE_FILE_NOT_FOUND", `${subject}: ${reason}`);
}
