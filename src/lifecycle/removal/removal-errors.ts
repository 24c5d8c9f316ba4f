import type { EntityMetadata } from "typeorm";
import { PrivateFileError } from "../../errors.js";

/** Criteria that could match more rows than intended. */
export function unsafeCriteria({ name }: EntityMetadata, problem: string): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_CRITERIA",
    `PrivateFiles.remove(${name}): ${problem}. Give a value for each property; IsNull() matches NULL, and a primary key that is Not(IsNull()) matches all rows.`,
  );
}

/** Rows that are there although they were removed. */
export function stillThere({ name }: EntityMetadata): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_NOT_REMOVED",
    `PrivateFiles.remove: rows of ${name} are still there after they were removed. Look for a trigger, a rule or a listener that keeps them, and for primary keys that the driver reads inexactly.`,
  );
}

/** Rows each of which the database would delete with the other. */
export function inACircle({ name }: EntityMetadata): PrivateFileError {
  return new PrivateFileError(
    "ERR_PRIVATE_FILE_NOT_REMOVED",
    `PrivateFiles.remove: a row of ${name} refers to itself through other rows, each with onDelete "CASCADE", so none of them can be removed first. Set one of the references to null before.`,
  );
}
