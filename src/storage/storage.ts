import type { Readable } from "node:stream";

/** What a storage knows of an object without reading it. */
export interface StoredObject {
  /** The number of bytes. */
  size: number;
  /** When the bytes were written, to the precision that the storage has. */
  modifiedAt: Date;
  /**
   * When the object got its key, its permissions or its owner last, where the storage keeps that. Copying tools give new files old
   * times, so a sweep goes by the later of the two.
   */
  changedAt?: Date;
  /** The storage's own tag of exactly these bytes, where it has one. It becomes part of the download's ETag. */
  etag?: string;
  /** The media type that was given to {@link Storage.put}, where the storage keeps one. */
  type?: string;
}

/**
 * One object, found and held: whatever happens to its key meanwhile, `size` and `read` speak of the same bytes.
 * Whoever opened it closes it.
 */
export interface OpenObject extends StoredObject {
  /**
   * Reads into `buffer` from `position` of the object. Do not write to the buffer once this is done. What it returns is checked.
   *
   * @returns the number of bytes read; less than asked for only at the object's end, 0 behind it.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * A path that leads to this very object while it is open, whatever its key names meanwhile, where the system has such paths
   * (Linux). It opens a descriptor of its own.
   */
  readonly path?: string;
  /** Lets go of the object. Calling it again does nothing. */
  close(): Promise<void>;
}

/** What is known of the bytes before {@link Storage.put} reads them. */
export interface PutOptions {
  /** How many bytes there will be. A body of another length fails. */
  size?: number;
  /** The media type, for storages that keep one. */
  type?: string;
  /** Ends the upload; nothing of it is kept. */
  signal?: AbortSignal;
}

/** Which bytes {@link Storage.read} gives. */
export interface ReadOptions {
  /** The first byte, counted from 0. (default: 0) */
  start?: number;
  /** The last byte, included, as in HTTP. One before `start` gives no bytes. (default: the object's last) */
  end?: number;
  /** What {@link Storage.stat} said. If the key holds another object by now, reading fails with a `StorageError`. */
  of?: StoredObject;
  /** Ends the reading. */
  signal?: AbortSignal;
}

/** How {@link Storage.copy} copies. */
export interface CopyOptions {
  /** Ends the copying; nothing of the copy is kept. */
  signal?: AbortSignal;
}

/** One object in a listing. */
export interface ListedObject {
  /** Its key. */
  key: string;
  /** The number of bytes. */
  size: number;
  /** When the bytes were written. */
  modifiedAt: Date;
  /** As in {@link StoredObject}. */
  changedAt?: Date;
}

/** The bytes of an upload that has no key yet. Either `keep` or `discard` ends it. */
export interface StagedUpload {
  /** The number of bytes. */
  readonly size: number;
  /** The bytes, as a stream that the caller reads or destroys. */
  read(): Promise<Readable>;
  /**
   * Makes an object of them, as {@link Storage.put} does. When it fails, they are still there.
   *
   * @throws KeyTakenError when the key is taken; the object there stays as it is.
   */
  keep(key: string): Promise<StoredObject>;
  /** Removes them. Calling it again, or after `keep`, does nothing. */
  discard(): Promise<void>;
}

/**
 * Where files are kept: objects of bytes under keys. A key is a relative path with `/` between its segments.
 *
 * Every method refuses a key that could leave the storage with an `InvalidKeyError`, and reports its own failures as a
 * `StorageError` with the `cause`. An object is complete or absent, and never overwritten.
 * `describeStorage` of `typeorm-private-files/testing` says the same as a test-suite that any storage can be put through.
 */
export interface Storage {
  /**
   * Writes an object that is not there yet. It is found under its key only when all of it is kept safely. `body` is read
   * to its end, or destroyed when anything fails.
   *
   * @throws KeyTakenError when the key is taken; the object there stays as it is.
   * @throws UploadError when `body` fails, ends early, or has another length than `size`; nothing is kept.
   */
  put(key: string, body: Readable, options?: PutOptions): Promise<StoredObject>;
  /**
   * Takes in bytes whose key is not known yet: no key leads to them until they are kept. `body` is treated as by {@link Storage.put}.
   * Optional: without it, an upload that a `beforeAttach` hook looks at is put under its key first, and deleted if it is refused.
   */
  stage?(body: Readable, options?: PutOptions): Promise<StagedUpload>;
  /**
   * Takes over a file of this machine that is complete, without reading it: the file is gone from its path, and is kept or discarded as
   * after {@link Storage.stage}. `undefined`, with the file as it was, where that can't be done. Optional: without it the file is read.
   */
  stageFile?(path: string): Promise<StagedUpload | undefined>;
  /** What is known of an object, or `undefined` when there is none, or nothing that may be served (a folder, a link, a device). */
  stat(key: string): Promise<StoredObject | undefined>;
  /**
   * The bytes of an object as a stream that the caller reads or destroys: exactly those that were asked for, or an error.
   *
   * @throws StorageError when there is none, not the one that `of` describes, or not that many bytes in it.
   */
  read(key: string, options?: ReadOptions): Promise<Readable>;
  /** Removes an object. One that is not there is no error. */
  delete(key: string): Promise<void>;
  /** All objects whose key starts with `prefix`, in no promised order. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /**
   * Finds and holds an object in one step, so that nothing can change between looking and reading. `undefined` as for
   * {@link Storage.stat}. Optional: without it a download stats and then reads `of` what it found.
   */
  open?(key: string): Promise<OpenObject | undefined>;
  /**
   * Copies an object to a key that is not there yet, complete or not at all, as {@link Storage.put} does. Original and copy are two
   * objects: whatever happens to one leaves the other as it is. Optional: without it the object is read and put.
   *
   * @throws KeyTakenError when the key `to` is taken; the object there stays as it is.
   * @throws StorageError when there is no object `from`, or it changes meanwhile.
   * @throws UploadError when `signal` is aborted.
   */
  copy?(from: string, to: string, options?: CopyOptions): Promise<void>;
  /** The absolute path of an object, for storages on a local disk. Says nothing of whether there is one. */
  path?(key: string): string;
  /**
   * A text that all names of one object share, and no two objects: `a/b` and `a/../a/b`, a symbolic link and its target, one name in two
   * Unicode forms, if the storage finds the same object by both. `undefined` if it finds nothing. `name` is any text that a
   * row has, not always a key. Optional: for sweeping what other programs wrote.
   */
  identify?(name: string): Promise<string | undefined>;
  /**
   * Removes what uploads that a crash interrupted have left, which no key leads to: all that was last written before
   * `before`. Uploads that are under way must have written since. Returns how many it removed. For sweeping.
   */
  removeIncomplete?(before: Date): Promise<number>;
}
