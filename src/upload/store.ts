import { lookup } from "mime-types";
import type { ObjectLiteral } from "typeorm";
import type { FileFacts, PrivateColumn } from "../column/private-column.js";
import type { FileRecord, PrivateFile } from "../column/private-file.js";
import { rememberValues } from "../column/remembered-values.js";
import { proposeKey } from "../column/upload-to.js";
import { uploadedFile } from "../lifecycle/uploads.js";
import { portableName } from "../storage/key.js";
import type { PutOptions, Storage } from "../storage/storage.js";
import type { AttachOptions } from "./attach-options.js";
import type { Inspected } from "./inspection/inspection.js";
import { unlessAborted } from "./unless-aborted.js";

/** The property of an entity that gets a file. */
export interface Destination {
  /** The column. */
  column: PrivateColumn;
  /** Where the column's files are kept. */
  storage: Storage;
  /** The entity. */
  entity: ObjectLiteral;
}

/** What an entity's property now is, and what it was. */
export interface Assigned {
  /** The new value. */
  file: PrivateFile;
  /** The record of the value before, which may be an upload that was not saved. */
  replaced?: FileRecord;
  /** Gives the entity back what it had before. */
  putBack(): void;
}

/**
 * Has an object written under a new key of a column, and puts it into the entity, which the caller then saves. When it fails, the entity is
 * as it was.
 *
 * @param write writes the object, and says what is known of it; when that fails, it leaves nothing in the storage.
 */
export async function store(
  destination: Destination,
  options: AttachOptions,
  write: (key: string, options: PutOptions) => Promise<Inspected>,
): Promise<Assigned> {
  const key = await keyFor(destination, options);
  const found = await write(key, putOptions(options));
  const { column, storage } = destination;
  try {
    return assign(destination, uploadedFile(key, column.uploadTarget(storage)), { name: options.filename, ...found });
  } catch (error) {
    await storage.delete(key).catch(() => {});
    throw error;
  }
}

/** A new key for an upload, as `uploadTo` says. */
export async function keyFor({ column, entity }: Destination, { filename, signal }: AttachOptions): Promise<string> {
  const name = portableName(filename ?? "");
  const proposing = proposeKey(column.subject, column.options.uploadTo ?? "", entity, name, column.length);
  const key = await unlessAborted(signal, proposing);
  column.assertFits(key);
  return key;
}

/** What the storage is told of an upload. */
export function putOptions({ filename, type, signal }: AttachOptions): PutOptions {
  return { type: type ?? (lookup(portableName(filename ?? "")) || undefined), signal };
}

/** Puts a file into the entity. When that fails, because it is frozen or has a setter that throws, it is as it was. */
export function assign({ column, entity }: Destination, file: PrivateFile, facts: FileFacts): Assigned {
  const putBack = rememberValues(column, entity);
  try {
    return { file, replaced: column.assign(entity, file, facts), putBack };
  } catch (error) {
    putBack();
    throw error;
  }
}
