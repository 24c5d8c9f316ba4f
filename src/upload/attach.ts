import { UploadSourceError } from "../errors.js";
import type { PutOptions, Storage } from "../storage/storage.js";
import { type AttachOptions, checkAttachOptions } from "./attach-options.js";
import { type Assigned, type Destination, store } from "./store.js";
import { openUpload, type Upload, type UploadSource } from "./upload-source.js";

/**
 * Streams an upload into the column's storage and puts it into the entity, which the caller then saves. When it fails,
 * nothing is left in the storage and the entity is as it was. A temporary file that a form parser wrote is removed either way.
 */
export async function attach(
  destination: Destination,
  source: UploadSource,
  options: AttachOptions,
): Promise<Assigned> {
  const { column, storage } = destination;
  const upload = await openUpload(column.subject, source);
  try {
    checkAttachOptions(column.subject, options);
    const named = { ...options, filename: options.filename ?? upload.name };
    return await store(destination, named, (key, put) => write(column.subject, storage, upload, key, put));
  } finally {
    upload.body.destroy();
    await upload.release?.();
  }
}

async function write(subject: string, storage: Storage, upload: Upload, key: string, options: PutOptions) {
  await storage.put(key, upload.body, { ...options, size: upload.size });
  if (!upload.truncated?.()) return;
  await storage.delete(key);
  throw new UploadSourceError(
    `${subject}: the upload was cut at the form parser's limit. Raise the limit, or ask for a smaller file.`,
  );
}
