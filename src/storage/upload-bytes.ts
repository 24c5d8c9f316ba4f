import type { Readable } from "node:stream";
import type { PutOptions } from "./storage.js";
import { UploadError } from "./upload-error.js";

/**
 * The bytes of an upload's body, for storages to write. They end without an error only when the body came to its own
 * end with exactly `size` bytes. Leaving early destroys the body.
 *
 * @throws UploadError at once when `body` can't be read any more; while reading when it fails, is closed, gives
 * anything but bytes, has another length than `size`, or `signal` is aborted (`cause` is the signal's reason then).
 */
export function uploadBytes(
  body: Readable,
  options: Pick<PutOptions, "size" | "signal"> = {},
): AsyncIterable<Uint8Array> {
  assertReadable(body);
  // A body may fail before its first chunk is read. Unheard, that would end the process.
  body.on("error", ignore);
  return readBytes(body, options);
}

/** Destroys the body of an upload that failed. Whatever it says of that later is heard by nobody, and ends no process. */
export function discardBody(body: Readable): void {
  body?.on?.("error", ignore);
  body?.destroy?.();
}

/**
 * @throws UploadError when `signal` is aborted; `cause` is its reason.
 */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new UploadError("aborted", "Upload: it was aborted. Send it again.", { cause: signal.reason });
}

function assertReadable(body: Readable): void {
  if (typeof body?.on !== "function" || typeof body[Symbol.asyncIterator] !== "function") {
    throw new UploadError(
      "unusable",
      `Upload: its body is ${body === null ? "null" : typeof body}. Give a Readable of bytes.`,
    );
  }
  if (body.readable) return;
  const what = body.readableEnded ? "was read already" : "was closed before it was read";
  throw new UploadError("unusable", `Upload: its body ${what}. Give a stream that nothing else reads.`, {
    cause: body.errored,
  });
}

async function* readBytes(body: Readable, { size, signal }: PutOptions): AsyncGenerator<Uint8Array> {
  const abort = () => body.destroy();
  signal?.addEventListener("abort", abort);
  let length = 0;
  try {
    assertNotAborted(signal);
    for await (const chunk of body) {
      assertBytes(chunk);
      length += chunk.byteLength;
      if (size !== undefined && length > size) throw wrongLength(`more than ${size}`, size);
      yield chunk;
    }
    assertNotAborted(signal);
    if (size !== undefined && length !== size) throw wrongLength(`${length}`, size);
  } catch (error) {
    assertNotAborted(signal);
    if (error instanceof UploadError) throw error;
    throw new UploadError("failed", "Upload: its body failed before its end. Send it again.", { cause: error });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function assertBytes(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  throw new UploadError(
    "unusable",
    `Upload: its body gave a chunk of type ${typeof chunk}. Give a stream of Buffers, and set no encoding on it.`,
  );
}

function wrongLength(length: string, size: number): UploadError {
  return new UploadError(
    "length",
    `Upload: its body has ${length} bytes where ${size} were announced. Send all of it again.`,
  );
}

function ignore(): void {}
