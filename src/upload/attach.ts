import { lookup } from "mime-types";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileRecord, PrivateFile } from "../column/private-file.js";
import { proposeKey } from "../column/upload-to.js";
import { UploadSourceError } from "../errors.js";
import { uploadedFile } from "../lifecycle/uploads.js";
import { portableName } from "../storage/key.js";
import type { Storage } from "../storage/storage.js";
import { assertNotAborted } from "../storage/upload-bytes.js";
import { openUpload, type Upload, type UploadSource } from "./upload-source.js";

/** What `attach` is told beside the bytes. */
export interface AttachOptions {
  /** The file's name. (default: the name that the source came with, else `file`) */
  filename?: string;
  /** The media type, for storages that keep one. (default: by the name's extension) */
  type?: string;
  /** Ends the upload; nothing of it is kept. */
  signal?: AbortSignal;
}

/** What an entity's property now is, and what it was. */
export interface Assigned {
  /** The new value. */
  file: PrivateFile;
  /** The record of the value before, which may be an upload that was not saved. */
  replaced?: FileRecord;
}

/**
 * Streams an upload into the column's storage and puts it into the entity, which the caller then saves. When it fails,
 * nothing is left in the storage and the entity is as it was. A temporary file that a form parser wrote is removed either way.
 */
export async function attach(
  column: PrivateColumn,
  storage: Storage,
  entity: ObjectLiteral,
  source: UploadSource,
  options: AttachOptions,
): Promise<Assigned> {
  const upload = await openUpload(column.subject, source);
  try {
    const name = nameOf(column, options.filename ?? upload.name);
    const file = await store(column, storage, entity, upload, { ...options, filename: name });
    return { file, replaced: column.assign(entity, file, { name: name ?? null }) };
  } finally {
    upload.body.destroy();
    await upload.release?.();
  }
}

/** A name comes from an application that may not be checked by a compiler, or from a form parser. */
function nameOf(column: PrivateColumn, name: unknown): string | undefined {
  if (name === undefined || typeof name === "string") return name;
  throw new UploadSourceError(
    `${column.subject}: "filename" must be a string, got ${name === null ? "null" : typeof name}.`,
  );
}

async function store(
  column: PrivateColumn,
  storage: Storage,
  entity: ObjectLiteral,
  upload: Upload,
  options: AttachOptions,
): Promise<PrivateFile> {
  const filename = portableName(options.filename ?? "");
  const proposing = proposeKey(column.subject, column.options.uploadTo ?? "", entity, filename, column.length);
  const key = await unlessAborted(options.signal, proposing);
  column.assertFits(key);
  const type = options.type ?? (lookup(filename) || undefined);
  await storage.put(key, upload.body, { size: upload.size, type, signal: options.signal });
  if (!upload.truncated?.()) return uploadedFile(key, column.uploadTarget(storage));
  await storage.delete(key);
  throw new UploadSourceError(
    `${column.subject}: the upload was cut at the form parser's limit. Raise the limit, or ask for a smaller file.`,
  );
}

/** `uploadTo` may ask somebody who never answers; the storage watches the signal itself. */
async function unlessAborted<T>(signal: AbortSignal | undefined, result: Promise<T>): Promise<T> {
  if (!signal) return result;
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
    if (signal.aborted) resolve();
    signal.addEventListener("abort", abort);
  });
  try {
    await Promise.race([result, aborted]);
    assertNotAborted(signal);
    return await result;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
