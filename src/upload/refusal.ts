import type { PrivateColumn } from "../column/private-column.js";
import { UploadError, type UploadErrorDetails } from "../storage/upload-error.js";

/**
 * Uploads something. An `UploadError` gets what a form needs to show: the property, the column's rules, and what is known of the upload.
 *
 * @param known what is known of the upload, also while it is under way.
 * @throws what `uploading` throws.
 */
export async function explainRefusal<T>(
  { propertyPath, options: { maxSize, accept } }: PrivateColumn,
  known: UploadErrorDetails,
  uploading: Promise<T>,
): Promise<T> {
  try {
    return await uploading;
  } catch (error) {
    if (error instanceof UploadError && !Object.isFrozen(error)) {
      error.property ??= propertyPath;
      error.details = defined({ maxSize, accept, ...known, ...error.details });
    }
    throw error;
  }
}

function defined(details: UploadErrorDetails): UploadErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ""));
}
