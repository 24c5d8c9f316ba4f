import { checkOptions, must, type OptionRules } from "../options.js";

/** Which bytes `open` gives, counted from 0. */
interface OpenRange {
  /** The first byte. (default: 0) */
  start?: number;
  /** The last byte, included. (default: the file's last) */
  end?: number;
}

/** @throws ConfigurationError for an unknown option, or a wrong one. */
export function checkOpenRange(range: OpenRange): void {
  checkOptions("PrivateFiles.open", range, RULES);
}

const position = must(
  "a whole number of bytes",
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "Count them from 0",
);

const RULES: OptionRules<OpenRange> = {
  start: position,
  // The byte before the first: a range without bytes.
  end: (value, name) => (value === -1 ? undefined : position(value, name)),
};
