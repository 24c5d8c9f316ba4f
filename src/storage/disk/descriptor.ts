import fs from "node:fs";

/**
 * The descriptor of an open file. The number of one that was closed soon names another file, so it is read until it is closed
 * and no longer, and closed when nothing is being read.
 */
export class Descriptor {
  #reads = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  /** @param letGo closes it; called once. */
  constructor(
    /** Its number. */
    readonly fd: number,
    private readonly letGo: () => void | Promise<void>,
  ) {}

  /**
   * Reads once, into a part of `buffer`. Returns the number of bytes.
   *
   * @throws the file system's error; `EBADF` once it is closed.
   */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    if (this.#closing !== undefined)
      return Promise.reject(Object.assign(new Error("the file is closed"), { code: "EBADF" }));
    return new Promise((resolve, reject) => {
      fs.read(this.fd, buffer, offset, length, position, (error, count) => {
        if (--this.#reads === 0) this.#idle?.();
        if (error) reject(error);
        else resolve(count);
      });
      this.#reads++;
    });
  }

  /** Closes it once nothing is read from it. Calling it again does nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#reads > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.letGo();
  }
}
