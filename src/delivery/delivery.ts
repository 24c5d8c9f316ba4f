import type { Context } from "koa";
import type { ByteRange } from "../http/byte-range.js";
import type { Piece } from "../http/content.js";
import type { OpenObject, Storage, StoredObject } from "../storage/storage.js";

/**
 * A download that is granted and announced: all that is left is to send it. Status and headers are set on `ctx` already.
 */
export interface Download {
  /** The request. */
  ctx: Context;
  /** Where the file is kept. */
  storage: Storage;
  /** The file's key in the storage. */
  key: string;
  /** What the storage said of the file when the download was decided. Its `ETag` and `Content-Length` speak of this object. */
  object: StoredObject;
  /**
   * The same object, held open, where the storage can do that and the delivery `opens` it. It is closed when the response is over; a
   * delivery that is done with it may close it sooner.
   */
  open?: OpenObject;
  /** What the body is made of, in this order: bytes of the file and, where several ranges are sent, the text between them. */
  pieces: readonly Piece[];
  /** How many bytes that is in all. */
  length: number;
  /** The part of the file that is sent as 206, of several ranges the span around them; absent for the whole file. */
  range?: ByteRange;
  /** The file's media type. */
  type: string;
  /** The value of `Content-Disposition`. */
  disposition: string;
}

/**
 * A way to get the bytes of a granted download to the client. It sets `ctx.body`, or a header for the server in front.
 * It is asked for GET only; HEAD, 304, 412 and 416 are answered before.
 *
 * What it throws before the first byte becomes the answer: 500, or the error's own `status`. Its message is for the log alone.
 *
 * `describeDelivery` of `typeorm-private-files/testing` is a test suite for deliveries that send the bytes themselves.
 */
export interface Delivery {
  /**
   * Whether it reads the object through this process. With `false` the storage is only asked for what it knows of the object, and
   * `download.open` is absent: for a delivery that lets another server send it. (default: what `ranges` is)
   */
  readonly opens?: boolean;
  /**
   * Whether it sends the `pieces` of a download, one range or several. With `false` the Range header is ignored, and the download is the
   * whole file. Another server that sends it may read the header, so `begins` of the hooks goes by the header; with `opens: true` this
   * delivery sends the whole file itself, and each download begins. (default: true)
   */
  readonly ranges?: boolean;
  /**
   * The value of Cache-Control for columns that name none of their own.
   * (default: `private, no-store` for attachments, `private, no-cache` for what is shown inline)
   */
  readonly cacheControl?: string;
  /**
   * Sends the download, or sets up what Koa will send. One that has not begun after the `timeout` of `PrivateFiles` is
   * answered 503.
   */
  deliver(download: Download): Promise<void>;
}
