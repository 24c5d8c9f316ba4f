import { isFieldValue } from "../../http/field-value.js";
import { checkOptions, must, type OptionRules, text, trueOrFalse } from "../../options.js";

/** What `send` does in another way than the column says, for one answer. */
export interface SendOptions {
  /** `true` if your own code has let the request through: the column's `condition` is not asked. (default: `false`) */
  authorized?: boolean;
  /**
   * `false` lets the browser show those types that run nothing (images but SVG, PDF, audio, video, plain text); all others stay
   * attachments. (default: the column's)
   */
  attachment?: boolean;
  /** The name offered to the browser. It is made safe, whatever it is. (default: the column's) */
  filename?: string;
  /** The value of Cache-Control. (default: the column's) */
  cacheControl?: string;
}

/** @throws ConfigurationError for an unknown option, for a wrong value, and for options that are not an object. */
export function checkSendOptions(options: unknown): asserts options is SendOptions {
  checkOptions("PrivateFiles.send", options, RULES);
}

const RULES: OptionRules<SendOptions> = {
  authorized: trueOrFalse,
  attachment: trueOrFalse,
  filename: text("report.pdf"),
  cacheControl: must("a value of Cache-Control", isFieldValue, 'Give one such as "private, no-store"'),
};
