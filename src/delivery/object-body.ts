import { Readable, type Writable } from "node:stream";

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
  static async started(chunks: AsyncGenerator<Uint8Array, void>): Promise<ObjectBody> {
    const first = await chunks.next();
    const body = new ObjectBody(chunks);
    body.first = first;
    return body;
  }

  constructor(private readonly chunks: AsyncGenerator<Uint8Array, void>) {
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
    for (let next = await this.nextChunk(); !next.done; next = await this.nextChunk()) {
      if (destination.destroyed) return;
      this.bytesSent += next.value.length;
      await written(destination, next.value);
    }
  }

  private async nextChunk(): Promise<IteratorResult<Uint8Array, void>> {
    const { first } = this;
    this.first = undefined;
    return first ?? this.chunks.next();
  }

  /** `pipeline` waits for the end of this stream, and then ends the destination itself. */
  private finish(destination: NodeJS.WritableStream, end: boolean): void {
    // Koa 3.1.0 destroys the body in place of which middleware sets a stream that it is piped through.
    if (this.destroyed) {
      this.cut(destination);
      return;
    }
    this.push(null);
    this.resume();
    if (end) destination.end();
  }

  /** Less than was promised: the client must see that. Koa 3.0 would leave the connection open. */
  private cut(destination: NodeJS.WritableStream): void {
    (destination as unknown as Writable).destroy();
  }
}

/** Not only until there is room for more, which may be 64 KiB: a chunk is in memory until all of it is taken. */
function written(destination: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const proceed = () => {
      destination.off("drain", proceed).off("close", proceed);
      resolve();
    };
    // What stands in between may keep the callback to itself, and nothing calls back for what is closed.
    destination.on("drain", proceed).on("close", proceed);
    destination.write(chunk, proceed);
  });
}
