import * as crypto from "node:crypto";
import { PrivateFileError } from "../errors.js";
import { contentDisposition, downloadName } from "../http/disposition.js";
import { isFieldValue } from "../http/field-value.js";
import { BYTES, harmless, isShown, mediaTypeOf, withCharset } from "../http/media-type.js";
import type { Validators } from "../http/preconditions.js";
import { whenOver } from "../http/response-over.js";
import { shown } from "../quoted.js";
import { objectKey } from "../storage/spelling.js";
import type { OpenObject, Storage, StoredObject } from "../storage/storage.js";
import { assertOpenObject, assertStoredObject, closeQuietly } from "../storage/stored-object.js";
import { leaveUnawaited } from "../unawaited.js";
import type { Loaded } from "./request.js";

/** All that an answer says of a file: what the storage knows of it, and how it is presented. */
export interface Description {
  /** The object's key. The row may spell it in another way. */
  key: string;
  /** What the storage knows. */
  object: StoredObject;
  /** The object held open, for a GET, where the storage can do that and the delivery wants it. */
  open?: OpenObject;
  /** Its ETag and Last-Modified. */
  validators: Validators;
  /**
   * The media type that is sent: the one that `fields.type` keeps, or else that of the key's extension, or of the name that is offered. It is
   * decided here, whatever an uploader said.
   */
  type: string;
  /** Whether the browser may show it. */
  inline: boolean;
  /** The value of Content-Disposition. */
  disposition: string;
  /** The value of Cache-Control, where the column or the request has one. */
  cacheControl?: string;
}

/**
 * Asks the storage for an entity's file and describes it; `undefined` where the storage has none. For a GET the file is
 * opened, so that what is described is what is sent; it is closed when the response is over.
 *
 * @param opens whether the delivery wants the file opened.
 * @throws what the storage, `filename` or `cacheControl` throws.
 */
export async function describe(loaded: Loaded, storage: Storage, opens: boolean): Promise<Description | undefined> {
  const { ctx, file } = loaded;
  const key = objectKey(storage, file.key);
  const holds = opens && ctx.method === "GET" && storage.open !== undefined;
  const open = holds ? await storage.open?.(key) : undefined;
  if (open) whenOver(ctx, () => closeQuietly(open));
  const object = holds ? open : await storage.stat(key);
  if (object === undefined) return undefined;
  assertStoredObject(key, object);
  if (open) assertOpenObject(key, open);
  return {
    key,
    object,
    open,
    validators: validatorsOf(loaded, key, object),
    ...present(loaded),
    cacheControl: cacheControlOf(loaded),
  };
}

/**
 * A strong ETag of size and digest where the row has one, else of key, size and time, hashed so that it says none of them; and
 * Last-Modified, which is never in the future (RFC 9110 §8.8.2.1).
 */
function validatorsOf({ column, entity }: Loaded, key: string, object: StoredObject): Validators {
  const modifiedAt = object.modifiedAt.getTime();
  const digest = column.factOf(entity, "sha256");
  const parts = (digest ? [object.size, digest] : [key, object.size, modifiedAt, object.etag ?? ""]).join("\0");
  return {
    etag: `"${crypto.hash("sha256", parts, "base64url").slice(0, 27)}"`,
    lastModified: modifiedAt > 0 ? new Date(Math.min(modifiedAt, Date.now())) : undefined,
  };
}

function present(loaded: Loaded) {
  const { column, entity, file, presentation } = loaded;
  const name = givenName(loaded) || column.factOf(entity, "name") || file.name;
  const known = column.factOf(entity, "type");
  const type = known ? harmless(known) : (mediaTypeOf(file.name) ?? mediaTypeOf(downloadName(name)) ?? BYTES);
  const inline = presentation.attachment === false && isShown(type);
  const { charset = "utf-8" } = column.options;
  return {
    type: withCharset(type, charset),
    inline,
    disposition: contentDisposition(name, inline ? "inline" : "attachment"),
  };
}

/** @throws PrivateFileError where a function gives something that can't be sent, such as a promise. */
function cacheControlOf({ column, entity, presentation: { cacheControl } }: Loaded): string | undefined {
  if (typeof cacheControl !== "function") return cacheControl;
  const value: unknown = cacheControl(entity);
  if (isFieldValue(value)) return value;
  leaveUnawaited(value);
  const message = `${column.subject}: "cacheControl" must return a text such as "private, no-store", got ${shown(value)}. It is not awaited.`;
  throw new PrivateFileError("ERR_PRIVATE_FILE_FAILED", message);
}

/** @throws PrivateFileError where `filename` returns anything but a text or nothing, such as a promise. */
function givenName({ column, entity, presentation }: Loaded): string | null | undefined {
  const name: unknown = presentation.filename?.(entity);
  if (name === undefined || name === null || typeof name === "string") return name;
  leaveUnawaited(name);
  const message = `${column.subject}: "filename" must return a text, null or undefined, got ${shown(name)}. It is not awaited.`;
  throw new PrivateFileError("ERR_PRIVATE_FILE_FAILED", message);
}
