import { finished, pipeline, type Readable, Transform, type TransformCallback } from "node:stream";
import { closeWhenOver, type Request } from "../http/request-over.js";
import type { UploadError } from "../storage/upload-error.js";
import type { Inspection } from "./inspection/inspection.js";
import { READ_AHEAD, type Upload } from "./source/upload.js";

/** How a source is read. */
export interface ReadingOptions {
  /** Looks at the bytes on their way. */
  inspection: Inspection;
  /** For how many seconds the source may give nothing. (default: 60) */
  stallTimeout?: number;
}

/** The bytes of a source on their way into a storage. However long the source takes, this stream can be destroyed at any time. */
export class UploadBody extends Transform {
  /** Why it failed, where it was not the source that failed. A storage may throw another error in its place. */
  failure?: unknown;
  private isStalled = false;
  private readonly inspection: Inspection;
  private readonly stallTimer: NodeJS.Timeout;

  /**
   * Begins to read a source. Once this stream is closed, a source that did not come to its end is destroyed. That of a request is read to its
   * end, and thrown away: the connection is needed for the answer, which many clients read when they have sent everything.
   */
  constructor(source: Pick<Upload, "stream" | "request">, { inspection, stallTimeout = 60 }: ReadingOptions) {
    super({ highWaterMark: READ_AHEAD });
    this.inspection = inspection;
    // The storage may have gone when it fails. Unheard, its error would end the process.
    this.on("error", () => {});
    this.stallTimer = setTimeout(() => this.lookForStall(stallTimeout), stallTimeout * 1000);
    const { stream, request } = source;
    if (request) this.readRequest(stream, request);
    else pipeline(stream, this, () => {});
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.stallTimer.refresh();
    this.inspection.take(chunk).then(
      () => done(null, chunk),
      (error) => this.fail(error),
    );
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.stallTimer);
    this.inspection.end().then(
      () => done(),
      (error) => this.fail(error),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.stallTimer);
    done(error);
  }

  /** Fails for a client that is too slow: the connection of a request is closed after the answer. */
  giveUp(error: UploadError): void {
    this.isStalled = true;
    this.fail(error);
  }

  private readRequest(stream: Readable, request: Request): void {
    finished(stream, { writable: false }, (error) => {
      if (error) this.destroy(error);
    });
    stream.pipe(this);
    // The pipe pauses the request when this stream closes, so this has to come after it.
    this.once("close", () => {
      stream.resume();
      if (this.isStalled) closeWhenOver(request);
    });
  }

  /** A storage that is slow leaves bytes here. */
  private lookForStall(seconds: number): void {
    if (this.readableLength + this.writableLength > 0) {
      this.stallTimer.refresh();
      return;
    }
    this.giveUp(
      this.inspection.refusal("stalled", `nothing came of the upload for ${seconds} seconds. Send it again.`),
    );
  }

  private fail(error: unknown): void {
    this.failure = error;
    this.destroy(error as Error);
  }
}
