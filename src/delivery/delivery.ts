import type { Context } from "koa";
import type { ByteRange } from "../http/byte-range.js";
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
   * The same object, held open, where the storage can do that and the request is a GET. It is closed when the response is
   * over; a delivery that is done with it may close it sooner.
   */
  open?: OpenObject;
  /** The one range that is sent as 206; absent for the whole file. */
  range?: ByteRange;
  /** The media type that is sent. */
  type: string;
  /** The value of `Content-Disposition`. */
  disposition: string;
}

/**
 * A way to get the bytes of a granted download to the client. It sets `ctx.body`, or a header for the server in front.
 * It is asked for GET only; HEAD, 304, 412 and 416 are answered before.
 *
 * What it throws before the first byte becomes the answer: 500, or the error's own `status`. Its message is for the log alone.
 */
export interface Delivery {
  /**
   * Whether it sends the `range` of a download. Where it does not, the Range header is ignored and the whole file is sent.
   * (default: true)
   */
  readonly ranges?: boolean;
  /** Sends the download, or sets up what Koa will send. */
  deliver(download: Download): Promise<void>;
}
