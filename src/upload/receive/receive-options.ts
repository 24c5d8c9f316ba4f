import { checkOptions, functionLike, must, type OptionRules, seconds } from "../../options.js";
import type { Form } from "./form.js";

/** The limits of a form, and what is done with its texts. */
export interface ReceiveOptions {
  /** The most files. (default: the number of parts; 10 where they are a function) */
  files?: number;
  /** The most bytes of each file. Never more than the column's `maxSize`. (default: the column's `maxSize`, else 268,435,456) */
  fileSize?: number;
  /** The most texts. (default: 100) */
  fields?: number;
  /** The most bytes of all texts and their names together, which are kept in memory. (default: 1,048,576) */
  fieldsSize?: number;
  /** How many seconds the whole form may take. More than 0, and at most 86,400. (default: 3600) */
  timeout?: number;
  /** For how many seconds the client may send nothing. More than 0, and at most 86,400. (default: 60) */
  stallTimeout?: number;
  /**
   * Is given the texts once the whole form was read, and before files get their keys: fill in what `uploadTo` reads. What it throws
   * refuses the form, and a promise is waited for. (default: nothing is done)
   */
  onFields?: (form: Form) => void | Promise<void>;
}

/** @throws ConfigurationError for an unknown option, or a wrong one. */
export function checkReceiveOptions(options: unknown): asserts options is ReceiveOptions {
  checkOptions("receive", options, RULES);
}

const atLeastNone = must(
  "a whole number from 0",
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "Give a limit",
);

const RULES: OptionRules<ReceiveOptions> = {
  files: atLeastNone,
  fileSize: atLeastNone,
  fields: atLeastNone,
  fieldsSize: atLeastNone,
  timeout: seconds(86_400),
  stallTimeout: seconds(86_400),
  onFields: functionLike("(form) => { submission.course = form.course }"),
};
