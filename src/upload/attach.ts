import { UploadError } from "../storage/upload-error.js";
import { type AttachOptions, checkAttachOptions } from "./attach-options.js";
import { inspectionFor } from "./inspection/inspection-for.js";
import { putUpload } from "./put-upload.js";
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
  const { column } = destination;
  try {
    checkAttachOptions(column.subject, options);
    const named = { ...options, filename: options.filename ?? upload.name };
    const inspection = inspectionFor(column, named);
    inspection?.assertSize(upload.size);
    const { body, size } = upload;
    const incoming = {
      body,
      inspection,
      filename: named.filename,
      assertWhole: () => assertWhole(column.subject, upload),
    };
    return await store(destination, named, (key, put) => putUpload(destination, incoming, key, { ...put, size }));
  } finally {
    upload.body.destroy();
    await upload.release?.();
  }
}

function assertWhole(subject: string, { truncated }: Upload): void {
  if (!truncated?.()) return;
  throw new UploadError(
    "too-large",
    `${subject}: the upload was cut at the form parser's limit. Raise the limit, or ask for a smaller file.`,
  );
}
