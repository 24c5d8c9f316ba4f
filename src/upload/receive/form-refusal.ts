import { UploadError, type UploadErrorOptions, type UploadFailure } from "../../storage/upload-error.js";

/** An error that says why a form is refused. */
export function formRefusal(reason: UploadFailure, problem: string, options: UploadErrorOptions = {}): UploadError {
  return new UploadError(reason, `Form: ${problem}`, options);
}

/** The form has more of something than it may have. */
export function tooMany(what: string): UploadError {
  return formRefusal("too-large", `it has more than ${what}. Send a smaller one.`);
}

/** A part has no name. */
export function nameless(): UploadError {
  return formRefusal("invalid", "it has a part without a name. Give all fields names.");
}

/** The parser can't decode a text. */
export function unknownCharset(part: string): UploadError {
  return formRefusal("invalid", "it has a text in an unknown charset. Send UTF-8.", { details: { part } });
}

/** A part comes after the end. */
export function afterEnd(): UploadError {
  return formRefusal("invalid", "it has another part after its end. Send it without that part.");
}

/** The parser does not understand the form. */
export function malformed(cause: unknown): UploadError {
  return formRefusal("invalid", "it is malformed, or ends early. Send it again.", { cause });
}

/** The request failed, most often because the client left. */
export function cutOff(cause: unknown): UploadError {
  return formRefusal("failed", "the request failed before its end. Send it again.", { cause });
}
