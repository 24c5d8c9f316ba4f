import type { PrivateColumn } from "../column/private-column.js";
import { PrivateFileError } from "../errors.js";

/** A value whose row does not have it, or has it no longer. */
export function otherRow(column?: PrivateColumn): PrivateFileError {
  return refusal(
    column,
    "the row does not have this file. It belongs to another row, or was replaced since the entity was loaded. Load the entity again, save only what you changed, leave the file out of an insert or upsert, or give the other row a copy: files.copy(from, property, to, property)",
  );
}

/** A file that `adopt` was asked for and a row has. */
export function alreadyInARow(column: PrivateColumn): PrivateFileError {
  return refusal(column, "a row has this file already. Use files.copy(from, property, to, property)");
}

/** An upload that another save is writing, or that this one has written into another row. */
export function isSaving(isOwn: boolean, column?: PrivateColumn): PrivateFileError {
  const problem = isOwn ? "this upload was written into another row" : "another save is writing this upload";
  return refusal(column, `${problem}. Attach a file for each row, and save an entity once at a time`);
}

/** An upload that was attached for another column. */
export function otherTarget(column: PrivateColumn): PrivateFileError {
  return refusal(column, "the upload was attached for another column. Attach it for this one");
}

/** An upload that was attached with the `PrivateFiles` of another data source. */
export function otherDataSource(column?: PrivateColumn): PrivateFileError {
  return refusal(
    column,
    "the upload was attached for another data source. Attach it with the PrivateFiles of the data source that saves it",
  );
}

/** An upload that one UPDATE has written into several rows. */
export function severalRows(): PrivateFileError {
  return refusal(undefined, "an UPDATE wrote one upload into several rows. Attach a file for each row");
}

function refusal(column: PrivateColumn | undefined, text: string): PrivateFileError {
  return new PrivateFileError("ERR_PRIVATE_FILE_OTHER_ROW", `${column?.subject ?? "PrivateFiles"}: ${text}.`);
}
