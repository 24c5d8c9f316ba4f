import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import { types } from "node:util";
import type { Context } from "koa";
import {
  DownloadError,
  type DownloadErrorOptions,
  InvalidKeyError,
  PrivateFileError,
  type PrivateFileErrorCode,
} from "../errors.js";
import { REFUSAL_HEADERS } from "./headers.js";

/** The answer for anything that the client may not know exists, always the same. */
export function notFound(cause?: unknown): DownloadError {
  return refusal(404, "ERR_PRIVATE_FILE_NOT_FOUND", "Not Found", { cause });
}

/** Whether an error says that a file is not there any more. */
export function isMissing(error: unknown): boolean {
  return types.isNativeError(error) && error instanceof PrivateFileError && error.code === "ERR_PRIVATE_FILE_MISSING";
}

/** Whether an error says that a row names what is not a key. */
export function isInvalidKey(error: unknown): error is InvalidKeyError {
  return types.isNativeError(error) && error instanceof InvalidKeyError;
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
  return made(
    new DownloadError(503, "ERR_PRIVATE_FILE_UNAVAILABLE", message, {
      cause,
      headers: { ...REFUSAL_HEADERS, "Retry-After": "5" },
    }),
  );
}

/** The answer where the application's code made a mistake. The message is for the log alone. */
export function mistake(message: string): DownloadError {
  return made(new DownloadError(500, "ERR_PRIVATE_FILE_FAILED", message, { headers: { ...REFUSAL_HEADERS } }));
}

/**
 * What of an error gets into the answer: nothing; its `status` and `headers`; or its message as well, where it is an HTTP
 * error that says `expose`. Only those who know what HTTP errors are for get that far: koa-send exposes paths.
 */
export type Honoured = "nothing" | "status" | "message";

/** The answer for an error that somebody's code threw: its own `status` where that is honoured, else 500. Never throws. */
export function failed(step: string, cause: unknown, honoured: Honoured = "nothing"): DownloadError {
  if (ours.has(cause as object)) return cause as DownloadError;
  try {
    return failedWith(step, cause, honoured);
  } catch {
    // A getter of the error throws, or it is a proxy that does.
    const unreadable = new PrivateFileError("ERR_PRIVATE_FILE_FAILED", `${step}: what it threw can't be read.`);
    return failedWith(step, unreadable, "nothing");
  }
}

/**
 * Emits an `error` of the application, as Koa does. What is not an error is given as the `cause` of one: Koa refuses everything else.
 * Never throws, whatever listens.
 *
 * @param step names what failed.
 */
export function report(ctx: Context, step: string, error: unknown): void {
  try {
    ctx.app.emit("error", types.isNativeError(error) ? error : failed(step, error), ctx);
  } catch (thrown) {
    if (thrown !== error) console.error(`${step} failed, and so did a listener of the application's errors.`);
  }
}

function failedWith(step: string, cause: unknown, honoured: Honoured): DownloadError {
  if (isOutOfDescriptors(cause)) return unavailable(`${step}: no file descriptor is free.`, cause);
  const { status, expose, message, headers } = Object(cause ?? {}) as Record<string, unknown>;
  const isDownloadError = cause instanceof DownloadError;
  const honours = (honoured !== "nothing" || isDownloadError) && isErrorStatus(status);
  const wanted = honours ? status : 500;
  const exposed = (honoured === "message" || isDownloadError) && isNamed(wanted) && expose === true;
  const own = message === undefined ? "" : message;
  const text = exposed && typeof own === "string" ? own : `${step} failed. See the cause.`;
  return made(
    new DownloadError(wanted, isDownloadError ? cause.code : "ERR_PRIVATE_FILE_FAILED", text, {
      cause,
      expose: exposed && typeof own === "string",
      headers: { ...(honours ? sendableHeaders(headers) : undefined), ...REFUSAL_HEADERS },
    }),
  );
}

/** The errors that were made here: their status and headers can be sent. */
const ours = new WeakSet<object>();

function made(error: DownloadError): DownloadError {
  ours.add(error);
  return error;
}

/** Koa answers 500 for statuses that have no name. */
function isNamed(status: number): boolean {
  return status !== 500 && STATUS_CODES[status] !== undefined;
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) < 600;
}

/** Those of an error's headers that Node can send, and that say nothing of the connection or of the body. */
function sendableHeaders(headers: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(Object(headers ?? {})).filter(isSendable)) as Record<string, string>;
}

function isSendable([name, value]: [string, unknown]): boolean {
  if (typeof value !== "string" || OF_THE_MESSAGE.test(name)) return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

const OF_THE_MESSAGE =
  /^(?:connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|http2-settings|content-(?:length|encoding|type|range))$/i;

function isOutOfDescriptors(error: unknown, depth = 0): boolean {
  const { code, cause } = Object(error ?? {}) as { code?: unknown; cause?: unknown };
  if (code === "EMFILE" || code === "ENFILE") return true;
  return cause !== undefined && cause !== null && depth < 10 && isOutOfDescriptors(cause, depth + 1);
}

/** Koa shows the message of an exposed error, and logs none of them. */
function refusal(
  status: number,
  code: PrivateFileErrorCode,
  message: string,
  { cause, headers }: Pick<DownloadErrorOptions, "cause" | "headers"> = {},
): DownloadError {
  return made(
    new DownloadError(status, code, message, {
      cause,
      expose: true,
      headers: { ...REFUSAL_HEADERS, ...headers },
    }),
  );
}
