import { type FileRecord, makeFile, type PrivateFile, type UploadTarget } from "../column/private-file.js";

/** The uploads of this process, by key. A statement shows keys only, so this tells which upload it writes. */
const uploads = new Map<string, WeakRef<FileRecord>>();
/** An object may have been adopted again since: then its key leads to another record. */
const forgotten = new FinalizationRegistry((key: string) => uploadOf(key) ?? uploads.delete(key));

/**
 * Makes the value of a column for an upload, and remembers the upload as long as something refers to it.
 *
 * @param isAdopted whether the object was in the storage before.
 */
export function uploadedFile(key: string, target: UploadTarget, isAdopted = false): PrivateFile {
  const record: FileRecord = { key, state: "attached", target, isAdopted };
  uploads.set(key, new WeakRef(record));
  forgotten.register(record, key);
  return makeFile(record);
}

/** The upload of a key, if this process made it and still refers to it. */
export function uploadOf(key: string): FileRecord | undefined {
  return uploads.get(key)?.deref();
}
