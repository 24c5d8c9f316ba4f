import { unavailable } from "./refusal.js";

/**
 * Awaits somebody's code, but not for ever.
 *
 * @param seconds how long it may take.
 * @param what names it in the message.
 * @throws DownloadError 503 when it takes longer; what it does later is of no effect.
 */
export async function withinDeadline<T>(seconds: number, what: string, result: T | PromiseLike<T>): Promise<T> {
  if (!isPromiseLike(result)) return result;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(`${what} took longer than ${seconds} seconds.`)), seconds * 1000);
  });
  try {
    return await Promise.race([result, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof (value as { then: unknown }).then === "function"
  );
}
