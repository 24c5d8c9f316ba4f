import { ConfigurationError, InvalidKeyError } from "../errors.js";
import { shown } from "../quoted.js";
import { assertKey, portableName, randomSegment } from "../storage/key.js";

/**
 * Where an upload goes under the storage's root.
 *
 * A string is a folder, in which `%Y %m %d %H %M %S %j %y` stand for the time of the upload in UTC and `%%` for a percent
 * sign. A function returns a path, whose last segment is the file's name; `filename` is the upload's name made portable. So is
 * the last segment, and it is cut where the column is short.
 *
 * In both forms the key gets a random segment before its last one, so that it can't be guessed and is never used twice.
 */
export type UploadTo<E> = string | ((entity: E, filename: string) => string | Promise<string>);

/**
 * Checks a folder when it is declared.
 *
 * @param subject names the column in the message.
 * @throws ConfigurationError for an absolute folder, one that leaves the storage, or an unknown pattern.
 */
export function checkUploadTo(subject: string, uploadTo: unknown): asserts uploadTo is UploadTo<never> {
  if (typeof uploadTo === "function") return;
  if (typeof uploadTo !== "string") {
    throw new ConfigurationError(
      `${subject}: "uploadTo" must be a folder or a function, got ${shown(uploadTo)}. Give one such as "uploads/%Y".`,
    );
  }
  const unknown = /%(?![YmdHMSjy%])(.?)/u.exec(uploadTo);
  if (unknown) {
    throw new ConfigurationError(
      `${subject}: "uploadTo" has the unknown pattern "${unknown[0]}". Use %Y %m %d %H %M %S %j %y, or %% for a percent sign.`,
    );
  }
  if (uploadTo !== "") checkFolder(subject, uploadTo);
}

function checkFolder(subject: string, folder: string): void {
  try {
    assertKey(expandPatterns(folder, new Date(0)));
  } catch (cause) {
    const end = folder.endsWith("/") ? ", without a slash at its end" : "";
    throw new ConfigurationError(
      `${subject}: "uploadTo" must be a folder inside a storage, got ${shown(folder)}. Give a relative one such as "uploads/%Y"${end}.`,
      { cause },
    );
  }
}

/** How many characters the shortest key of an upload has: the folder, a random segment, and one letter. */
export function shortestKey(uploadTo: UploadTo<never>): number {
  const folder = typeof uploadTo === "string" && uploadTo !== "" ? `${expandPatterns(uploadTo, new Date(0))}/` : "";
  return [...`${folder}${randomSegment()}/x`].length;
}

/**
 * Makes the key of an upload, which no other object ever had or will have: a random segment stands before the last segment.
 * Where the column is short the name is cut, so that the key fits if it can.
 *
 * @param filename the upload's name, portable.
 * @param length how many characters the column takes.
 * @throws InvalidKeyError when a function throws, or returns anything but a key.
 */
export async function proposeKey<E>(
  subject: string,
  uploadTo: UploadTo<E>,
  entity: E,
  filename: string,
  length: number,
): Promise<string> {
  const { parent, name } = await folderAndName(subject, uploadTo, entity, filename);
  const folder = `${parent}${randomSegment()}/`;
  return folder + portableName(name, length - [...folder].length);
}

async function folderAndName<E>(subject: string, uploadTo: UploadTo<E>, entity: E, filename: string) {
  if (typeof uploadTo === "string") {
    return { parent: uploadTo === "" ? "" : `${expandPatterns(uploadTo, new Date())}/`, name: filename };
  }
  const path = await callUploadTo(subject, uploadTo, entity, filename);
  const end = path.lastIndexOf("/") + 1;
  return { parent: path.slice(0, end), name: path.slice(end) };
}

async function callUploadTo<E>(
  subject: string,
  uploadTo: (entity: E, filename: string) => string | Promise<string>,
  entity: E,
  filename: string,
): Promise<string> {
  let key: unknown;
  try {
    key = await uploadTo(entity, filename);
    assertKey(key);
  } catch (cause) {
    const what = cause instanceof InvalidKeyError ? `returned ${shown(key)}, which is no key` : "threw";
    throw new InvalidKeyError(
      `${subject}: "uploadTo" ${what}. Return a relative key such as "uploads/2026/${filename}".`,
      key,
      { cause },
    );
  }
  return key;
}

function expandPatterns(folder: string, now: Date): string {
  return folder.replace(/%(.)/gu, (_, pattern: string) => PATTERNS[pattern]?.(now) ?? pattern);
}

const PATTERNS: Record<string, (now: Date) => string> = {
  Y: (now) => String(now.getUTCFullYear()),
  y: (now) => digits(now.getUTCFullYear() % 100, 2),
  m: (now) => digits(now.getUTCMonth() + 1, 2),
  d: (now) => digits(now.getUTCDate(), 2),
  H: (now) => digits(now.getUTCHours(), 2),
  M: (now) => digits(now.getUTCMinutes(), 2),
  S: (now) => digits(now.getUTCSeconds(), 2),
  j: (now) => digits(dayOfYear(now), 3),
};

function dayOfYear(now: Date): number {
  const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  return (midnight - Date.UTC(now.getUTCFullYear(), 0, 0)) / 86_400_000;
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
