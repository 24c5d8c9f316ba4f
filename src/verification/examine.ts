import { InvalidKeyError, StorageError } from "../errors.js";
import { visible } from "../quoted.js";
import type { Storage, StoredObject } from "../storage/storage.js";
import { assertStoredObject } from "../storage/stored-object.js";
import { digestOf } from "./digest.js";
import type { FileDigest, Finding } from "./finding.js";

/** How often an object is read that changes under the reader. */
const ATTEMPTS = 3;

/** Holds an object against what its row says. Reads it only where the row has a digest, and no size that is another. */
export async function examine(
  storage: Storage,
  key: string,
  expected: FileDigest,
  signal?: AbortSignal,
): Promise<Finding> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const object = await look(storage, key);
      if (object === undefined) return { kind: "missing" };
      const finding = await compare(storage, key, object, expected, signal);
      const isFine = finding.kind === "verified" || finding.kind === "unverified";
      if (isFine || isSame(object, await look(storage, key))) return finding;
    }
    throw new StorageError(`${visible(key)}: it changes while it is read. Look what writes to it.`, key);
  } catch (error) {
    return error instanceof InvalidKeyError ? { kind: "invalid" } : unreadable(error, signal);
  }
}

async function look(storage: Storage, key: string): Promise<StoredObject | undefined> {
  const object = await storage.stat(key);
  if (object !== undefined) assertStoredObject(key, object);
  return object;
}

async function compare(
  storage: Storage,
  key: string,
  object: StoredObject,
  expected: FileDigest,
  signal?: AbortSignal,
): Promise<Finding> {
  const { size } = object;
  if (expected.size !== undefined && expected.size !== size) return { kind: "altered", expected, found: { size } };
  if (expected.sha256 === undefined) return { kind: "unverified" };
  try {
    const sha256 = await digestOf(storage, key, object, signal);
    if (sha256 === expected.sha256.trim().toLowerCase()) return { kind: "verified" };
    return { kind: "altered", expected, found: { size, sha256 } };
  } catch (error) {
    return unreadable(error, signal);
  }
}

/** @throws the signal's reason, where that is why. */
function unreadable(error: unknown, signal?: AbortSignal): Finding {
  signal?.throwIfAborted();
  return { kind: "unreadable", error: error instanceof Error ? error : new Error(String(error)) };
}

function isSame(one: StoredObject, other: StoredObject | undefined): boolean {
  return other !== undefined && versionOf(one) === versionOf(other);
}

function versionOf({ size, modifiedAt, changedAt, etag }: StoredObject): string {
  return JSON.stringify([size, modifiedAt, changedAt, etag]);
}
