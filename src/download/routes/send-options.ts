import { ConfigurationError } from "../../errors.js";
import { isFieldValue } from "../../http/field-value.js";
import { quoted, shown } from "../../quoted.js";

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
  const names = Object.keys(RULES).join(", ");
  if (typeof options !== "object" || options === null) {
    throw wrong(`the options must be an object, got ${shown(options)}. Give an object with any of ${names}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(RULES, name)) throw wrong(`unknown option ${quoted(name)}. Use one of ${names}.`);
    const { accepts, expected } = RULES[name as keyof SendOptions];
    if (value !== undefined && !accepts(value)) throw wrong(`"${name}" must be ${expected}, got ${shown(value)}.`);
  }
}

interface Rule {
  accepts(value: unknown): boolean;
  expected: string;
}

const trueOrFalse: Rule = { accepts: (value) => typeof value === "boolean", expected: "true or false" };

const RULES: Record<keyof SendOptions, Rule> = {
  authorized: trueOrFalse,
  attachment: trueOrFalse,
  filename: { accepts: (value) => typeof value === "string", expected: "a string" },
  cacheControl: { accepts: isFieldValue, expected: 'a value of Cache-Control such as "private, no-store"' },
};

function wrong(problem: string): ConfigurationError {
  return new ConfigurationError(`PrivateFiles.send: ${problem}`);
}
