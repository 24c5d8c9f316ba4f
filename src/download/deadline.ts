import { unavailable } from "./download-errors.js";

/**
 * Awaits somebody's code, but not for ever.
 *
 * @param seconds how long it may take.
 * @param what names it in the message.
 * @throws DownloadError 503 when it takes longer; what it does later is of no effect.
 */
export function withinDeadline<T>(seconds: number, what: string, result: T | PromiseLike<T>): Promise<T> {
  if (!isPromiseLike<T>(result)) return Promise.resolve(result);
  return new Promise((resolve, reject) => {
    const tooLate = () => reject(unavailable(`${what} took longer than ${seconds} seconds.`));
    const timer = setTimeout(tooLate, seconds * 1000);
    result.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
