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
    if (error instanceof UploadError && Object.isExtensible(error)) {
      const { property = propertyPath, details } = ownOf(error);
      Object.assign(error, { property, details: defined({ maxSize, accept, ...known, ...details }) });
    }
    throw error;
  }
}

/** What errors said when they were thrown first: a hook may throw the same error for the uploads of two users. */
const own = new WeakMap<UploadError, Pick<UploadError, "property" | "details">>();

function ownOf(error: UploadError): Pick<UploadError, "property" | "details"> {
  const known = own.get(error) ?? { property: error.property, details: error.details };
  own.set(error, known);
  return known;
}

function defined(details: UploadErrorDetails): UploadErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ""));
}
