import type { PrivateColumn } from "../column/private-column.js";
import { proposeKey } from "../column/upload-to.js";
import type { CataloguedColumn } from "./catalogue.js";
import type { Problem } from "./problem.js";

/** The longest name that `attach` makes, and one that is short but has an extension. */
const [LONGEST_NAME, SHORT_NAME] = [100, 20];
/** No key has more characters. */
const LONGEST_KEY = 1024;

/** Looks whether keys fit what the entity declares, and whether the database has declared the same. */
export async function checkLengths(column: PrivateColumn, found: CataloguedColumn): Promise<Problem[]> {
  const needed = await keyLength(column, LONGEST_NAME);
  return [
    ...(needed === undefined ? [] : await checkDeclaredLength(column, needed)),
    ...checkRealLength(column, found, needed ?? LONGEST_KEY),
  ];
}

async function checkDeclaredLength(column: PrivateColumn, needed: number): Promise<Problem[]> {
  const { subject, length } = column;
  if (length >= needed) return [];
  const severity = length < (await keyLength(column, SHORT_NAME))! ? "error" : "warning";
  const consequence = severity === "error" ? "hardly any file's name fits" : "long names of files are cut";
  const message = `the column takes ${length} characters, and keys have up to ${needed}, so ${consequence}. Give it a "length" of ${needed} or more, or a shorter "uploadTo".`;
  return [{ code: "COLUMN_SHORT", severity, subject, message }];
}

/** MariaDB without its strict mode cuts what is too long, silently. */
function checkRealLength({ subject, length }: PrivateColumn, found: CataloguedColumn, needed: number): Problem[] {
  if (found.length >= Math.min(length, needed)) return [];
  const declared = length === Number.POSITIVE_INFINITY ? "the entity sets no limit" : `the entity says ${length}`;
  const message = `the database's column takes ${found.length} characters, ${declared}: keys may be cut, and their files lost. Run the migrations, or declare the column's "length".`;
  return [{ code: "COLUMN_SHORTER_THAN_DECLARED", severity: "error", subject, message }];
}

/** How long keys get that `attach` makes; `undefined` where a function makes them. */
async function keyLength({ subject, options }: PrivateColumn, nameLength: number): Promise<number | undefined> {
  const { uploadTo = "" } = options;
  if (typeof uploadTo !== "string") return undefined;
  const key = await proposeKey(subject, uploadTo, {}, "n".repeat(nameLength), Number.POSITIVE_INFINITY);
  return [...key].length;
}
