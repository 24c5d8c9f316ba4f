import type { PrivateColumn } from "../column/private-column.js";
import type { PutOptions, Storage } from "../storage/storage.js";
import { UploadError } from "../storage/upload-error.js";
import { type AttachOptions, checkAttachOptions } from "./attach-options.js";
import type { Inspected } from "./inspection/inspection.js";
import { inspectionFor } from "./inspection/inspection-for.js";
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
  try {
    return await attachUpload(destination, await openUpload(destination.column.subject, source), options);
  } catch (error) {
    if (error instanceof UploadError) error.property ??= destination.column.propertyPath;
    throw error;
  }
}

async function attachUpload(destination: Destination, upload: Upload, options: AttachOptions): Promise<Assigned> {
  const { column, storage } = destination;
  try {
    checkAttachOptions(column.subject, options);
    const named = { ...options, filename: options.filename ?? upload.name };
    const inspected = inspect(column, upload, named);
    return await store(destination, named, (key, put) => write(column.subject, storage, inspected, key, put));
  } finally {
    upload.body.destroy();
    await upload.release?.();
  }
}

/** An upload, and what is found out about it while it is read. */
interface InspectedUpload extends Upload {
  found?(): Inspected;
  /** Why it was refused, if it was. */
  failure?(): UploadError | undefined;
}

function inspect(column: PrivateColumn, upload: Upload, options: AttachOptions): InspectedUpload {
  const inspection = inspectionFor(column, options);
  if (!inspection) return upload;
  inspection.assertSize(upload.size);
  return {
    ...upload,
    body: inspection.body(upload.body),
    found: () => inspection.found,
    failure: () => inspection.failure,
  };
}

async function write(
  subject: string,
  storage: Storage,
  upload: InspectedUpload,
  key: string,
  options: PutOptions,
): Promise<Inspected> {
  const { size } = await storage.put(key, upload.body, { ...options, size: upload.size }).catch((error: unknown) => {
    throw upload.failure?.() ?? error;
  });
  if (!upload.truncated?.()) return upload.found?.() ?? { size };
  await storage.delete(key);
  throw new UploadError(
    "too-large",
    `${subject}: the upload was cut at the form parser's limit. Raise the limit, or ask for a smaller file.`,
  );
}
