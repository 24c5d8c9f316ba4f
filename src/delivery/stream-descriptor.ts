import { once } from "node:events";
import fs, { type ReadStream } from "node:fs";
import type { Descriptor } from "../storage/disk-object.js";

/**
 * The descriptor of a file that a stream of Node's has opened, for reading in another way than the stream does: that reads
 * ahead, without a bound at the file's promised end.
 */
export class StreamDescriptor implements Descriptor {
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly stream: ReadStream,
    /** Its number. */
    readonly fd: number,
  ) {}

  /** Waits until the stream has opened its file. Nothing else may read the stream. @throws what opening it throws. */
  static async of(stream: ReadStream): Promise<StreamDescriptor> {
    const [fd] = (await once(stream, "open")) as [number];
    stream.on("error", () => {});
    return new StreamDescriptor(stream, fd);
  }

  /** As that of a `FileHandle`. @throws EBADF once it is closed. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    if (this.#closed) return Promise.reject(Object.assign(new Error("the file is closed"), { code: "EBADF" }));
    const reading = new Promise<{ bytesRead: number }>((resolve, reject) => {
      const done = (error: Error | null, bytesRead: number) => (error ? reject(error) : resolve({ bytesRead }));
      fs.read(this.fd, buffer, offset, length, position, done);
    });
    this.#reading = reading.catch(() => {});
    return reading;
  }

  /** Waits for what is being read: the next file that is opened gets the number, and would be read in its place. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    this.stream.destroy();
  }
}
