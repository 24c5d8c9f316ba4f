import { StorageError } from "../errors.js";
import { quoted } from "../quoted.js";
import { locationOf } from "../storage/location.js";
import type { PutOptions, Storage, StoredObject } from "../storage/storage.js";
import { assertNotAborted } from "../storage/upload-bytes.js";
import type { UploadErrorDetails } from "../storage/upload-error.js";
import { type AttachOptions, checkAttachOptions } from "./attach-options.js";
import type { Inspected } from "./inspection/inspection.js";
import { inspectionFor } from "./inspection/inspection-for.js";
import { missing, type Original, unlessMissing } from "./original.js";
import { type Incoming, putUpload } from "./put-upload.js";
import { explainRefusal } from "./refusal.js";
import { type Assigned, type Destination, store } from "./store.js";

/**
 * Copies an object and puts the copy into an entity, which the caller then saves. When it fails, no copy is left and the entity is as it
 * was. The storage copies by itself if it can and both columns use it; else the bytes are read and written.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_MISSING` when the storage does not have the original.
 */
export async function copy(original: Original, destination: Destination, options: AttachOptions): Promise<Assigned> {
  const known: UploadErrorDetails = {};
  return explainRefusal(destination.column, known, copyOriginal(original, destination, options, known));
}

async function copyOriginal(
  original: Original,
  destination: Destination,
  options: AttachOptions,
  known: UploadErrorDetails,
): Promise<Assigned> {
  checkAttachOptions(destination.column.subject, options);
  const named = { ...options, filename: options.filename ?? original.name };
  const found = await original.storage.stat(original.key);
  if (!found) throw missing(original);
  Object.assign(known, { filename: named.filename, size: found.size });
  const inspection = inspectionFor(destination.column, named);
  inspection.assertSize(found.size);
  const { storage } = destination;
  const copies = !inspection.isNeeded && storage.copy && locationOf(storage) === locationOf(original.storage);
  return store(destination, named, (key, put) => {
    const copying = copies
      ? copyObject(original, found, storage, key, put)
      : copyBytes(original, found, destination, { inspection, ...named }, key, put);
    return unlessMissing(original, copying);
  });
}

/** Also where something has to be found out about the bytes, which takes reading them. */
async function copyBytes(
  original: Original,
  found: StoredObject,
  destination: Destination,
  incoming: Omit<Incoming, "source">,
  key: string,
  options: PutOptions,
): Promise<Inspected> {
  const stream = await original.storage.read(original.key, { of: found, signal: options.signal });
  return putUpload(destination, { ...incoming, source: { stream, size: found.size } }, key, options);
}

async function copyObject(
  original: Original,
  found: StoredObject,
  storage: Storage,
  key: string,
  { signal }: PutOptions,
): Promise<Inspected> {
  await storage.copy?.(original.key, key, { signal });
  try {
    await verify(original, found, storage, key);
    assertNotAborted(signal);
    return { size: found.size };
  } catch (error) {
    await storage.delete(key);
    throw error;
  }
}

async function verify({ key, subject }: Original, found: StoredObject, storage: Storage, to: string): Promise<void> {
  const copied = await storage.stat(to);
  if (copied?.size === found.size) return;
  const size = copied ? `${copied.size} bytes in place of ${found.size}` : "no copy was found";
  throw new StorageError(`${subject}: copying ${quoted(key)} failed: ${size}. Copy it again.`, key);
}
