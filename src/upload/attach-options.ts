import { UploadSourceError } from "../errors.js";
import { abortSignal, checkOptions, type OptionRules, text } from "../options.js";
import { shown } from "../quoted.js";

/** What `attach` and `copy` are told beside the bytes. */
export interface AttachOptions {
  /** The file's name. (default: the name that the source came with, else `file`; of a copy the name of the original) */
  filename?: string;
  /** The media type, for storages that keep one. (default: by the name's extension) */
  type?: string;
  /** Ends the upload or the copying; nothing of it is kept. */
  signal?: AbortSignal;
}

/**
 * @param subject names the column in the message.
 * @throws ConfigurationError for an unknown option, or a wrong one.
 * @throws UploadSourceError for a `filename` that is not a text: it may come from a request.
 */
export function checkAttachOptions(subject: string, options: AttachOptions): void {
  checkOptions(subject, options, RULES);
  const { filename } = options;
  if (filename === undefined || typeof filename === "string") return;
  throw new UploadSourceError(
    `${subject}: "filename" must be a string, got ${shown(filename)}. Leave it out to keep the upload's own name.`,
  );
}

const RULES: OptionRules<AttachOptions> = {
  filename: () => undefined,
  type: text("application/pdf"),
  signal: abortSignal,
};
