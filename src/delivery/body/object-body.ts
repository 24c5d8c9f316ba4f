import { ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { cutOff } from "../../http/response-over.js";
import type { Chunks } from "./piece-source.js";

/**
 * The body of a response: chunks that are written as they come, each when the connection took the one before. It reads
 * nothing until it is piped or read, so it may wait while the middleware around it goes on.
 */
export class ObjectBody extends Readable {
  /** How many bytes of the file were given away. */
  bytesSent = 0;
  private piped = false;
  private first?: IteratorResult<Uint8Array, void>;

  /** A body whose first chunk is read already. @throws what reading it throws. */
  static async started(chunks: Chunks, onTaken?: () => void): Promise<ObjectBody> {
    const first = await chunks.next();
    const body = new ObjectBody(chunks, onTaken);
    body.first = first;
    return body;
  }

  /** How many bytes are read, and not given away yet. */
  get bytesReady(): number {
    return this.first?.value?.length ?? 0;
  }

  /** @param onTaken called when the first chunk is asked for, and each time that a chunk was taken. */
  constructor(
    private readonly chunks: Chunks,
    private readonly onTaken?: () => void,
  ) {
    super({ highWaterMark: 0 });
    // Koa may destroy a body that nobody listens to yet; an error of it must not end the process.
    this.on("error", () => {});
  }

  /**
   * Writes the chunks straight to `destination`. Node's own way through the stream's buffer costs about twice as much
   * for a large file.
   */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.piped = true;
    this.writeAll(destination as unknown as Writable).then(
      () => this.finish(destination, options?.end !== false),
      (error: Error) => {
        this.destroy(error);
        this.cut(destination);
      },
    );
    return destination;
  }

  override _read(): void {
    if (this.piped) return;
    this.nextChunk().then(
      ({ done, value }) => {
        this.bytesSent += value?.length ?? 0;
        this.push(done ? null : value);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.chunks.return().then(
      () => callback(error),
      () => callback(error),
    );
  }

  private async writeAll(destination: Writable): Promise<void> {
    const forgets = forgetsChunks(destination);
    for (let next = await this.nextChunk(); !next.done; ) {
      if (destination.destroyed) return;
      const chunk = next.value;
      this.bytesSent += chunk.length;
      const isSpent = forgets ? await forgotten(destination, chunk) : await written(destination, chunk);
      next = await this.nextChunk(isSpent ? chunk : undefined);
    }
  }

  private async nextChunk(spent?: Uint8Array): Promise<IteratorResult<Uint8Array, void>> {
    const { first } = this;
    this.first = undefined;
    this.onTaken?.();
    return first ?? this.chunks.next(spent);
  }

  /** `pipeline` waits for the end of this stream, and then ends the destination itself. */
  private finish(destination: NodeJS.WritableStream, end: boolean): void {
    // A response that was cut would say, once it is ended, that all of it was sent. And Koa 3.1.0 destroys the body in place of
    // which middleware sets a stream that it is piped through.
    if (this.destroyed || (destination as unknown as Writable).destroyed) {
      this.destroy();
      this.cut(destination);
      return;
    }
    this.push(null);
    this.resume();
    if (end) destination.end();
  }

  /** Less than was promised: the client must see that. Koa 3.0 would leave the connection open. */
  private cut(destination: NodeJS.WritableStream): void {
    cutOff(destination as unknown as Writable);
  }
}

/**
 * Whether nobody looks at a chunk any more when its write called back: only then where it goes straight to a socket of the
 * system. What stands in between, or in the place of the response's `write`, may keep it.
 */
function forgetsChunks(destination: Writable): boolean {
  if (!(destination instanceof ServerResponse) || destination.write !== ServerResponse.prototype.write) return false;
  const { socket } = destination;
  return socket instanceof Socket && socket.write === Socket.prototype.write;
}

/** Waits until all of a chunk is taken, not only until there is room for more, which may be 64 KiB: it is in memory until then. */
function written(destination: Writable, chunk: Uint8Array): Promise<false> {
  return new Promise((resolve) => {
    const proceed = () => {
      destination.off("drain", proceed).off("close", proceed);
      resolve(false);
    };
    // What stands in between may keep the callback to itself, and nothing calls back for what is closed.
    destination.on("drain", proceed).on("close", proceed);
    destination.write(chunk, proceed);
  });
}

/** Waits until nothing looks at a chunk any more. Tells whether that can be relied on: not after a connection was cut. */
function forgotten(destination: Writable, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = () => resolve(false);
    destination.once("close", leave);
    destination.write(chunk, (error) => {
      destination.off("close", leave);
      resolve(!error);
    });
  });
}
