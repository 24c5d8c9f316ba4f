type Headers = Record<string, string>;

/** On every answer: browsers take the type as it is said, let nothing in the file run, and tell no other site about it. */
const PROTECTION: Headers = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};

/** WebKit saves a file from a frame, be it hidden or the target of a form, only where the file may be framed. */
const SAVE_ONLY = "default-src 'none'; sandbox; frame-ancestors 'self'";

/** Browsers show a PDF, an image or a film with parts of their own, which a sandbox or an empty policy would stop. */
const SHOW_ONLY =
  "default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** The headers of a file that is sent, or of the 304 in its place. */
export function fileHeaders(inline: boolean, cacheControl: string | undefined): Headers {
  return {
    ...PROTECTION,
    "Content-Security-Policy": inline ? SHOW_ONLY : SAVE_ONLY,
    "Cache-Control": cacheControl ?? (inline ? "private, no-cache" : "private, no-store"),
  };
}

/** The headers of an answer without a file: a refusal, a failure, 412 and 416. */
export const REFUSAL_HEADERS: Readonly<Headers> = {
  ...PROTECTION,
  "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
  "Cache-Control": "private, no-store",
};
