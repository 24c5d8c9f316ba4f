import { assertNotAborted } from "../storage/upload-bytes.js";

/**
 * Waits for the application's own code, which may never answer, until a signal is aborted.
 *
 * @throws UploadError when `signal` is aborted; what comes of `result` then is nobody's concern.
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, result: Promise<T>): Promise<T> {
  if (!signal) return result;
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
    if (signal.aborted) resolve();
    signal.addEventListener("abort", abort);
  });
  try {
    await Promise.race([result, aborted]);
    assertNotAborted(signal);
    return await result;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
