import type { Middleware } from "koa";

/**
 * Middleware that answers forms which the client sent wrong: 413 if the form is larger than the parser's limits, 400 or 415 otherwise. Use
 * it before multer or koa-body.
 *
 * It replaces an error of a parser by one of Koa's with the error as its `cause`. Errors that have a `status`, such as an `UploadError`, and
 * all others pass unchanged.
 *
 * @example
 * app.use(formErrors());
 */
export function formErrors(): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      // formidable may have paused the request, and some clients read no answer before they have sent everything.
      ctx.req.resume();
      ctx.throw(status, { cause: error });
    }
  };
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || "status" in error) return undefined;
  const { code, httpCode, name } = error as { code?: unknown; httpCode?: unknown; name: string };
  if (name === "MulterError") return MULTER_SIZES.has(code) ? 413 : 400;
  if (typeof code === "number" && typeof httpCode === "number") return statusOfFormidable(code, httpCode);
  return code === undefined && BUSBOY.test(error.message) ? 400 : undefined;
}

const MULTER_SIZES = new Set<unknown>(["LIMIT_FILE_SIZE", "LIMIT_FIELD_VALUE"]);

/** What busboy, multer's parser, says of a form that is broken or was cut off. */
const BUSBOY =
  /^(Unexpected end of (form|file)|Malformed (part header|content type)|Multipart: Boundary not found|Unsupported content type: .*|Request (aborted|closed))$/;

function statusOfFormidable(code: number, httpCode: number): number | undefined {
  if (FORMIDABLE_WITHOUT_STATUS.has(code)) return 400;
  return code >= 1000 && code < 1100 && [400, 413, 415].includes(httpCode) ? httpCode : undefined;
}

/** An aborted request, a name that is not a text, and an unknown transfer encoding: for these formidable says 500 or 501. */
const FORMIDABLE_WITHOUT_STATUS = new Set([1002, 1005, 1014]);
