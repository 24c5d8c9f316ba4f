import { lookup } from "mime-types";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { PrivateFile, withOrigin } from "../column/private-file.js";
import { proposeKey } from "../column/upload-to.js";
import { UploadSourceError } from "../errors.js";
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
): Promise<PrivateFile> {
  const upload = await openUpload(column.subject, source);
  try {
    const name = options.filename ?? upload.name;
    const file = await store(column, storage, entity, upload, { ...options, filename: name });
    column.assign(entity, file, { name: name ?? null });
    return file;
  } finally {
    upload.body.destroy();
    await upload.release?.();
  }
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
  const proposal = await unlessAborted(options.signal, proposing);
  column.assertFits(proposal.key);
  const { key } = await storage.put(proposal.key, upload.body, {
    size: upload.size,
    type: options.type ?? (lookup(filename) || undefined),
    signal: options.signal,
    rename(taken) {
      const another = proposal.next(taken);
      column.assertFits(another);
      return another;
    },
  });
  if (!upload.truncated?.()) return withOrigin(new PrivateFile(key), "attached");
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
