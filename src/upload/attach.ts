import { UploadError, type UploadErrorDetails } from "../storage/upload-error.js";
import { type AttachOptions, checkAttachOptions } from "./attach-options.js";
import { inspectionFor } from "./inspection/inspection-for.js";
import { putUpload } from "./put-upload.js";
import { explainRefusal } from "./refusal.js";
import { closeUpload, type Upload } from "./source/upload.js";
import { openUpload, type UploadSource } from "./source/upload-source.js";
import { type Assigned, type Destination, store } from "./store.js";

/**
 * Streams an upload into the column's storage and puts it into the entity, which the caller then saves. When it fails,
 * nothing is left in the storage and the entity is as it was. A temporary file that a form parser wrote is removed either way.
 */
export async function attach(
  destination: Destination,
  source: UploadSource,
  options: AttachOptions,
): Promise<Assigned> {
  const known: UploadErrorDetails = {};
  return explainRefusal(destination.column, known, attachSource(destination, source, options, known));
}

async function attachSource(
  destination: Destination,
  source: UploadSource,
  options: AttachOptions,
  known: UploadErrorDetails,
): Promise<Assigned> {
  // The options are checked when there is something to let go of, if they are wrong.
  if (typeof options?.filename === "string") known.filename = options.filename;
  const upload = await openUpload(destination.column.subject, source);
  try {
    return await attachUpload(destination, upload, options, known);
  } finally {
    await closeUpload(upload);
  }
}

async function attachUpload(
  destination: Destination,
  upload: Upload,
  options: AttachOptions,
  known: UploadErrorDetails,
): Promise<Assigned> {
  const { column } = destination;
  checkAttachOptions(column.subject, options);
  const named = { ...options, filename: options.filename ?? upload.name };
  const inspection = inspectionFor(column, named);
  Object.assign(known, { filename: named.filename, size: upload.size });
  inspection.assertSize(upload.size);
  const incoming = { source: upload, inspection, ...named, assertWhole: () => assertWhole(column.subject, upload) };
  try {
    return await store(destination, named, (key, put) => putUpload(destination, incoming, key, put));
  } finally {
    if (inspection.size > 0) known.size = inspection.size;
  }
}

function assertWhole(subject: string, { truncated }: Upload): void {
  if (!truncated?.()) return;
  throw new UploadError(
    "too-large",
    `${subject}: the upload was cut at the form parser's limit. Raise the limit, or ask for a smaller file.`,
  );
}
