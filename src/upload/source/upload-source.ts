import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { described } from "../../described.js";
import { UploadError } from "../../storage/upload-error.js";
import { TEMPORARY_FILE, type TemporaryUpload } from "../form/multer-storage.js";
import { FilePath } from "./file-path.js";
import { fromFile, fromTemporaryFile } from "./file-source.js";
import { fromReadable, fromWebStream } from "./stream-source.js";
import { READ_AHEAD, type Upload } from "./upload.js";

/** A file that formidable parsed, alone or inside koa-body. */
export interface FormidableFile {
  /** Where formidable put the bytes. `attach` removes that file. */
  filepath: string;
  /** The name that the client gave. */
  originalFilename: string | null;
  /** The number of bytes that formidable wrote. */
  size: number;
  /** Sets formidable's files apart from data: nothing that a request says has a method. */
  toJSON(): unknown;
}

/** A file that multer parsed into memory. */
export interface MulterMemoryFile {
  /** The bytes. */
  buffer: Uint8Array;
  /** The name that the client gave. */
  originalname: string;
}

/**
 * What `attach` takes. Never a string, nor an object that JSON could have made: a request could write either.
 * Files of multer's own disk storage are such objects; use `multerStorage()` in its place.
 */
export type UploadSource =
  | Readable
  | WebStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Uint8Array
  | Blob
  | FilePath
  | FormidableFile
  | MulterMemoryFile
  | TemporaryUpload;

/**
 * Makes an upload of whatever `attach` was given.
 *
 * @throws UploadError when it is none of those things, or was read before.
 */
export async function openUpload(subject: string, source: UploadSource): Promise<Upload> {
  const given: unknown = source;
  if (isReadOnce(given)) takeOnce(subject, given);
  if (given instanceof Readable) return fromReadable(subject, given);
  if (given instanceof Uint8Array) return fromBytes(given);
  if (given instanceof Blob) return fromBlob(given);
  if (given instanceof ReadableStream) return fromWebStream(subject, given as WebStream<Uint8Array>);
  if (given instanceof FilePath) return fromFile(subject, given.path);
  if (isTemporaryUpload(given)) return fromTemporaryFile(subject, given[TEMPORARY_FILE].path, given.originalname);
  if (isFormidableFile(given)) {
    return fromTemporaryFile(subject, given.filepath, given.originalFilename ?? undefined, given.size);
  }
  if (isMulterMemoryFile(given)) return { ...fromBytes(given.buffer), name: given.originalname };
  if (isAsyncIterable(given)) return { stream: Readable.from(given, { objectMode: false }) };
  const reason = given === undefined || given === null ? "missing" : "invalid";
  throw new UploadError(reason, `${subject}: expected an upload, got ${described(given)}. ${adviceFor(given)}`);
}

/** Sources whose bytes are there once. Two calls at the same time would each get a part of them. */
const taken = new WeakSet<object>();

function takeOnce(subject: string, source: object): void {
  if (taken.has(source)) {
    throw new UploadError("unusable", `${subject}: the upload was attached before. Attach each upload once.`);
  }
  taken.add(source);
}

function isReadOnce(source: unknown): source is object {
  return isAsyncIterable(source) || isTemporaryUpload(source) || isFormidableFile(source);
}

function fromBytes(bytes: Uint8Array): Upload {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { stream: Readable.from(buffer.length > 0 ? [buffer] : [], { objectMode: false }), size: buffer.length };
}

function fromBlob(blob: Blob): Upload {
  const stream = Readable.fromWeb(blob.stream() as WebStream<Uint8Array>, { highWaterMark: READ_AHEAD });
  return { stream, size: blob.size, name: "name" in blob ? String(blob.name) : undefined };
}

function isTemporaryUpload(value: unknown): value is TemporaryUpload {
  return typeof value === "object" && value !== null && TEMPORARY_FILE in value;
}

/** formidable's files are event emitters, which no parser of a body makes of what a request says. */
function isFormidableFile(value: unknown): value is FormidableFile {
  return value instanceof EventEmitter && typeof (value as { filepath?: unknown }).filepath === "string";
}

function isMulterMemoryFile(value: unknown): value is MulterMemoryFile {
  const file = value as Partial<MulterMemoryFile> | null;
  return typeof file === "object" && typeof file?.originalname === "string" && file.buffer instanceof Uint8Array;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function adviceFor(value: unknown): string {
  if (value === null || value === undefined) return "Check that the request has a file under that name.";
  if (Array.isArray(value)) return "Attach each file to its own entity.";
  return "Give a stream, a Buffer, a Blob, fromPath(path), or a file of koa-body or of @koa/multer with multerStorage().";
}
