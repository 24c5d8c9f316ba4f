import { DownloadError, type DownloadErrorOptions, PrivateFileError, type PrivateFileErrorCode } from "../errors.js";
import { REFUSAL_HEADERS } from "./headers.js";

/** The answer for everything that the request may not know to exist, always the same. */
export function notFound(cause?: unknown): DownloadError {
  return refusal(404, "ERR_PRIVATE_FILE_NOT_FOUND", "Not Found", { cause });
}

/** Whether an error says that a file is not there any more. */
export function isMissing(error: unknown): boolean {
  return error instanceof PrivateFileError && error.code === "ERR_PRIVATE_FILE_MISSING";
}

/** The answer where the column's rule did not say yes. */
export function forbidden(): DownloadError {
  return refusal(403, "ERR_PRIVATE_FILE_ACCESS_DENIED", "Forbidden");
}

/** The answer to anything but GET and HEAD (RFC 9110 §15.5.6). */
export function methodNotAllowed(): DownloadError {
  return refusal(405, "ERR_PRIVATE_FILE_METHOD", "Method Not Allowed", { headers: { Allow: "GET, HEAD" } });
}

/** The answer where something took too long, or the machine has no room for one more: the client may try again. */
export function unavailable(message: string, cause?: unknown): DownloadError {
  return new DownloadError(503, "ERR_PRIVATE_FILE_UNAVAILABLE", message, {
    cause,
    headers: { ...REFUSAL_HEADERS, "Retry-After": "5" },
  });
}

/**
 * What of an error gets into the answer: nothing; its `status` and `headers`; or its message as well, where it is an HTTP
 * error that says `expose`. Only those who know what HTTP errors are for get that far: koa-send exposes paths.
 */
export type Honoured = "nothing" | "status" | "message";

/** The answer for an error that somebody's code threw: its own `status` where that is honoured, else 500. */
export function failed(step: string, cause: unknown, honoured: Honoured = "nothing"): DownloadError {
  if (cause instanceof DownloadError) return cause;
  if (isOutOfDescriptors(cause)) return unavailable(`${step}: no file descriptor is free.`, cause);
  const { status, expose, message = "", headers } = (cause ?? {}) as HttpErrorLike;
  const honours = honoured !== "nothing" && typeof status === "number" && status >= 400 && status < 600;
  const wanted = honours ? status : 500;
  const exposed = honoured === "message" && wanted !== 500 && expose === true;
  return new DownloadError(wanted, "ERR_PRIVATE_FILE_FAILED", exposed ? message : `${step} failed. See the cause.`, {
    cause,
    expose: exposed,
    headers: { ...(honoured === "nothing" ? undefined : headers), ...REFUSAL_HEADERS },
  });
}

interface HttpErrorLike {
  status?: unknown;
  expose?: unknown;
  message?: string;
  headers?: Record<string, string>;
}

function isOutOfDescriptors(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === "EMFILE" || code === "ENFILE" || (cause !== undefined && isOutOfDescriptors(cause));
}

/** Koa shows the message of an exposed error, and logs none of them. */
function refusal(
  status: number,
  code: PrivateFileErrorCode,
  message: string,
  { cause, headers }: Pick<DownloadErrorOptions, "cause" | "headers"> = {},
): DownloadError {
  return new DownloadError(status, code, message, {
    cause,
    expose: true,
    headers: { ...REFUSAL_HEADERS, ...headers },
  });
}
