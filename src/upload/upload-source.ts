import { EventEmitter } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { IncomingMessage } from "node:http";
import { Http2ServerRequest } from "node:http2";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { described } from "../described.js";
import type { Request } from "../http/request-over.js";
import { UploadError } from "../storage/upload-error.js";
import { FilePath } from "./file-path.js";
import { TEMPORARY_FILE, type TemporaryUpload } from "./form/multer-storage.js";
import { removeTemporaryFile, takeTemporaryFile } from "./form/temporary-files.js";

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

/** An upload that is ready to be read, once. */
export interface Upload {
  /** The bytes. */
  stream: Readable;
  /** The same stream, where it is a request, whose connection is needed for the answer. */
  request?: Request;
  /** The path of a file with the same bytes, which the storage may take over. */
  path?: string;
  /** The number of bytes, where it is known before they are read. */
  size?: number;
  /** The name that the source came with. */
  name?: string;
  /** Whether the parser stopped at its limit before the end. Known when the bytes are read. */
  truncated?(): boolean;
  /** Removes what the upload left elsewhere: the temporary file of a form parser. */
  release?(): Promise<void>;
}

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

/** Lets go of an upload that was read or is not wanted, and of what it left elsewhere. A request stays open for its answer. */
export async function closeUpload({ stream, request, release }: Upload): Promise<void> {
  if (request) request.resume();
  else stream.destroy();
  await release?.();
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

function fromReadable(subject: string, stream: Readable): Upload {
  assertUnread(subject, stream);
  const truncated = () => (stream as { truncated?: boolean }).truncated === true;
  return isRequest(stream) ? fromRequest(stream) : { stream: heard(stream), truncated };
}

function assertUnread(subject: string, stream: Readable): void {
  if (stream.errored || (isRequest(stream) && stream.destroyed && !stream.readableDidRead)) {
    const cause = stream.errored ?? undefined;
    throw new UploadError("failed", `${subject}: the stream failed before it was read. Send it again.`, { cause });
  }
  const problem = problemOf(stream);
  if (problem) throw new UploadError("unusable", `${subject}: the stream ${problem}`);
}

function problemOf(stream: Readable): string | undefined {
  if (stream.destroyed || stream.readableEnded || stream.readableDidRead)
    return "was read or destroyed before. Give one that nobody reads.";
  if (stream.readableObjectMode) return "is in object mode. Give a stream of bytes.";
  if (stream.readableEncoding) return "gives texts. Give a stream of bytes, and set no encoding on it.";
  return undefined;
}

function isRequest(stream: Readable): stream is Request & Readable {
  return stream instanceof IncomingMessage || stream instanceof Http2ServerRequest;
}

/** Node holds a request to its Content-Length. */
function fromRequest(request: Request): Upload {
  const { "content-length": length } = request.headers;
  return { stream: heard(request), request, size: length === undefined ? undefined : Number(length) };
}

/** A stream may fail before it is read. Unheard, that would end the process. */
function heard<Stream extends Readable>(stream: Stream): Stream {
  return stream.on("error", () => {});
}

function fromBytes(bytes: Uint8Array): Upload {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { stream: Readable.from(buffer.length > 0 ? [buffer] : [], { objectMode: false }), size: buffer.length };
}

function fromBlob(blob: Blob): Upload {
  const stream = Readable.fromWeb(blob.stream() as WebStream<Uint8Array>);
  return { stream, size: blob.size, name: "name" in blob ? String(blob.name) : undefined };
}

function fromWebStream(subject: string, stream: WebStream<Uint8Array>): Upload {
  if (stream.locked) {
    throw new UploadError(
      "unusable",
      `${subject}: the stream is locked by another reader. Give one that nobody reads.`,
    );
  }
  return { stream: heard(Readable.fromWeb(stream)) };
}

async function fromFile(subject: string, path: string): Promise<Upload> {
  try {
    // A FIFO would make a plain open wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isFile()) return { stream: file.createReadStream({ highWaterMark: 1 << 19 }), size: stats.size };
    await file.close();
  } catch (cause) {
    throw new UploadError("unusable", `${subject}: the file to attach can't be opened. See the cause.`, { cause });
  }
  throw new UploadError("unusable", `${subject}: the path to attach is no regular file. Give the path of a file.`);
}

async function fromTemporaryFile(subject: string, path: string, name?: string, size?: number): Promise<Upload> {
  const isOurs = takeTemporaryFile(path);
  const release = () => removeTemporaryFile(path);
  try {
    const upload = await fromFile(subject, path);
    return { ...upload, path: isOurs ? path : undefined, size: size ?? upload.size, name, release };
  } catch (error) {
    await release();
    throw error;
  }
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
