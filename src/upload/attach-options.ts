import { abortSignal, checkOptions, functionLike, must, type OptionRules, seconds, text } from "../options.js";
import { shown } from "../quoted.js";
import { UploadError } from "../storage/upload-error.js";

/** What `attach` and `copy` are told beside the bytes. */
export interface AttachOptions {
  /** The file's name. (default: the name that the source came with, else `file`; of a copy the name of the original) */
  filename?: string;
  /** The media type, for storages that keep one. (default: by the name's extension) */
  type?: string;
  /** Ends the upload or the copying; nothing of it is kept. */
  signal?: AbortSignal;
  /** The SHA-256 digest that the bytes must have, in hexadecimal. Costs some 0.6 ms for each MiB. (default: any) */
  sha256?: string;
  /**
   * Is told how many bytes were read so far, after each chunk. What it throws fails the upload, and a promise is waited for. (default:
   * nobody is told)
   */
  onProgress?: (bytes: number) => void;
  /**
   * For how many seconds the source may give nothing before the upload is given up. A slow client gives a little. More than 0, and at
   * most 86400. (default: 60)
   */
  stallTimeout?: number;
}

/**
 * @param subject names the column in the message.
 * @throws ConfigurationError for an unknown option, or a wrong one.
 * @throws UploadError for a `filename` that is not a text: it may come from a request.
 */
export function checkAttachOptions(subject: string, options: AttachOptions): void {
  checkOptions(subject, options, ATTACH_RULES);
  const { filename } = options;
  if (filename === undefined || typeof filename === "string") return;
  throw new UploadError(
    "invalid",
    `${subject}: "filename" must be a string, got ${shown(filename)}. Leave it out to keep the upload's own name.`,
  );
}

/** What the options must be, beside the name. */
export const ATTACH_RULES: OptionRules<AttachOptions> = {
  filename: () => undefined,
  type: text("application/pdf"),
  signal: abortSignal,
  sha256: must(
    "a SHA-256 digest in hexadecimal",
    (value) => typeof value === "string" && /^[0-9a-f]{64}$/i.test(value),
    "Give 64 digits",
  ),
  onProgress: functionLike("(bytes) => console.log(bytes)"),
  stallTimeout: seconds(86_400),
};
