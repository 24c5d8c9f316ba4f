import type { Readable } from "node:stream";
import type { Context, ExtendableContext } from "koa";
import type { DataSource, EntityManager, EntityMetadata, EntitySubscriberInterface, ObjectLiteral } from "typeorm";
import type { ByteRange } from "../http/byte-range.js";

/** The file that an event is about. */
export interface DownloadedFile {
  /** Its key in the storage. */
  key: string;
  /** The last segment of the key. */
  name: string;
  /** The number of bytes of the whole file. */
  size: number;
  /** The media type that is sent. */
  type: string;
}

/** What every event of a download says. `E` is the type of the entity, `C` that of the Koa application's context. */
export interface DownloadEvent<E = ObjectLiteral, C extends ExtendableContext = Context> {
  /** The data source that the entity came from. */
  dataSource: DataSource;
  /** Its entity manager, outside any transaction. */
  manager: EntityManager;
  /** TypeORM's metadata of the entity. */
  metadata: EntityMetadata;
  /** The property of the private file column, e.g. `uploadedFile`, or `profile.photo` in an embedded entity. */
  propertyName: string;
  /** The entity; absent where no row was found, or none that the request may see. */
  entity?: E;
  /** The request. */
  ctx: C;
}

/** Access is granted, and the first byte is about to be sent. */
export interface BeforeDownloadEvent<E = ObjectLiteral, C extends ExtendableContext = Context>
  extends DownloadEvent<E, C> {
  /** The entity, as it was loaded for the condition. */
  entity: E;
  /** The file that will be sent. */
  file: DownloadedFile;
  /** The part that was asked for, of several ranges the span from the first to the last byte; absent for the whole file. */
  range?: ByteRange;
  /**
   * Whether this response begins a download: it sends the whole file, or more than the first two bytes of it. `false` for a later part,
   * and for the first one or two bytes, by which players probe a server. A counter returns when it is `false`.
   *
   * Where the delivery has `ranges: false` and does not open the file, the request's Range decides, since another server reads it.
   */
  begins: boolean;
}

/** A download is over, in one way or another. */
export interface AfterDownloadEvent<E = ObjectLiteral, C extends ExtendableContext = Context>
  extends BeforeDownloadEvent<E, C> {
  /**
   * How many bytes of the body were written to the socket: the file's, and with several ranges the text between them. The client may
   * not have read all of them.
   * `undefined` where another server or a delivery of one's own sent them.
   */
  bytesSent?: number;
  /** How long the sending took, in seconds. */
  seconds: number;
  /** Whether not all was sent: the client left, or the storage failed. */
  aborted: boolean;
}

/** The steps of a download that can say no. */
export type DenyingStep = "load" | "authorize" | "describe" | "announce";

/** A request for a file of this column was refused. */
export interface DownloadDeniedEvent<E = ObjectLiteral, C extends ExtendableContext = Context>
  extends DownloadEvent<E, C> {
  /**
   * Which step said no: no row (`load`), the condition (`authorize`), no file or another name (`describe`), or a
   * `beforeDownload` hook that threw (`announce`).
   */
  step: DenyingStep;
  /** The status of the answer. */
  status: number;
}

/** The bytes of an upload, and what was found out about them. */
export interface AttachedFile {
  /** The name that the upload came with; empty where it came without one. */
  name: string;
  /** The number of bytes. */
  size: number;
  /** The media type by the first bytes and the extension; absent where they contradict each other, or nothing is known. */
  type?: string;
  /** The SHA-256 digest in hexadecimal. */
  sha256: string;
}

/** An upload is there as a whole, and is about to get its key. */
export interface BeforeAttachEvent<E = ObjectLiteral> {
  /** The data source of the entity. */
  dataSource: DataSource;
  /** Its entity manager, outside any transaction. */
  manager: EntityManager;
  /** TypeORM's metadata of the entity. */
  metadata: EntityMetadata;
  /** The property of the private file column, e.g. `uploadedFile`, or `profile.photo` in an embedded entity. */
  propertyName: string;
  /** The entity that is to get the file. It still has the file that it had before, if any. */
  entity: E;
  /** The upload. */
  file: AttachedFile;
  /** Its bytes, as a stream. May be called again. A stream that is open when the hooks are over is destroyed. */
  open(): Promise<Readable>;
  /** The signal that `attach` or `copy` was given. Once it is aborted, nobody waits for the hook any more. */
  signal?: AbortSignal;
}

/**
 * A TypeORM subscriber that is told of downloads and uploads, too. It is found among the data source's subscribers, and `listenTo`
 * means what it means to TypeORM: absent or `Object` for every entity, else the entity or a parent of it. `C` is the type of the Koa
 * application's context.
 */
export interface PrivateFileSubscriber<E = ObjectLiteral, C extends ExtendableContext = Context>
  extends EntitySubscriberInterface<E> {
  /**
   * Runs when access is granted and the preconditions are decided, right before the first byte: for 200 and 206 of a GET.
   * All hooks are awaited, one after the other. One that throws stops the download: with the error's `status`, else 500. So does
   * one that returns `false`, with 500. Any other value is ignored, and is a warning outside production.
   */
  beforeDownload?(event: BeforeDownloadEvent<E, C>): void | Promise<void>;
  /**
   * Runs when the response is over, in the async context of its request. What it throws is reported as an `error` of the Koa
   * application. A value that it returns is ignored, and is a warning outside production.
   */
  afterDownload?(event: AfterDownloadEvent<E, C>): void | Promise<void>;
  /** Runs when a request was refused; the answer does not wait for it. What it throws or returns is treated likewise. */
  downloadDenied?(event: DownloadDeniedEvent<E, C>): void | Promise<void>;
  /**
   * Runs in `attach` and `copy` when all bytes are there, before they get a key. All hooks are awaited, one after the other, with no time
   * limit. One that throws refuses the upload: `attach` throws the same error, and nothing is kept. One that returns `false` does likewise;
   * any other value is ignored, and is a warning outside production. For columns of an entity with such a hook the type and the digest of
   * each upload are taken, and a copy reads all bytes.
   */
  beforeAttach?(event: BeforeAttachEvent<E>): void | Promise<void>;
}
