import { ConfigurationError } from "./errors.js";
import { shown } from "./quoted.js";
import { leaveUnawaited } from "./unawaited.js";

/**
 * What an option must be.
 *
 * @param name the option's name, as in the message: `timeout`, or `fields.name` in an option of options.
 * @returns what is wrong with a value, and what to do, as a text such as `"timeout" must be a number, got null. Give seconds.`;
 * `undefined` if it is right.
 */
export type OptionRule = (value: unknown, name: string) => string | undefined;

/** A rule for each option that there is. */
export type OptionRules<O> = { readonly [K in keyof Required<O>]: OptionRule };

/**
 * Checks the options of a function when they are given. An option whose value is `undefined` counts as absent.
 *
 * @param subject names the function or the class in the message.
 * @throws ConfigurationError for an unknown option, for a wrong value, and for options that are not an object.
 */
export function checkOptions<O>(subject: string, options: unknown, rules: OptionRules<O>): asserts options is O {
  const problem = problemOf(options, rules);
  if (problem !== undefined) throw new ConfigurationError(`${subject}: ${problem}`);
}

/**
 * A rule for a value.
 *
 * @param expected what it must be, behind "must be".
 * @param advice a sentence without its full stop.
 */
export function must(expected: string, accepts: (value: unknown) => boolean, advice: string): OptionRule {
  return (value, name) =>
    accepts(value) ? undefined : `"${name}" must be ${expected}, got ${shown(value)}. ${advice}.`;
}

/** `true` or `false`. */
export const trueOrFalse = must("true or false", (value) => typeof value === "boolean", "Give a boolean");

/** A function. */
export function functionLike(signature: string): OptionRule {
  return must("a function", (value) => typeof value === "function", `Give one such as ${signature}`);
}

/** A text. */
export function text(example: string): OptionRule {
  return must("a string", (value) => typeof value === "string", `Give one such as ${JSON.stringify(example)}`);
}

/** An array of texts, none of them empty. */
export function texts(example: string): OptionRule {
  const accepts = (value: unknown) =>
    Array.isArray(value) && Array.from(value).every((one) => typeof one === "string" && one !== "");
  return must("an array of strings that are not empty", accepts, `Give one such as ${JSON.stringify([example])}`);
}

/** A duration in seconds, more than 0. */
export function seconds(most: number): OptionRule {
  const accepts = (value: unknown) => typeof value === "number" && value > 0 && value <= most;
  return must(`more than 0 and at most ${most}`, accepts, "Give a number of seconds");
}

/** A signal that ends what a function does. */
export const abortSignal = must("an AbortSignal", (value) => value instanceof AbortSignal, "Give controller.signal");

/** An object of options of its own. */
export function optionsOf<O>(rules: OptionRules<O>): OptionRule {
  return (value, name) => problemOf(value, rules, name);
}

/**
 * An object that a user may write, known by its methods.
 *
 * @param optional methods and properties that it may lack.
 */
export function objectWith(
  what: string,
  methods: readonly string[],
  optional: Record<string, "function" | "string" | "boolean">,
  advice: string,
): OptionRule {
  return (value, name) => {
    if (typeof value !== "object" || value === null) return must(what, () => false, advice)(value, name);
    const members = value as Record<string, unknown>;
    const missing = methods.find((method) => typeof members[method] !== "function");
    if (missing) return `"${name}" must be ${what}, got an object without the method "${missing}". ${advice}.`;
    const wrong = Object.keys(optional).find(
      (key) => members[key] !== undefined && typeof members[key] !== optional[key],
    );
    if (wrong === undefined) return undefined;
    return `"${name}" must be ${what}, got an object whose "${wrong}" is ${shown(members[wrong])}. Make it a ${optional[wrong]}.`;
  };
}

function problemOf<O>(options: unknown, rules: OptionRules<O>, parent?: string): string | undefined {
  const names = Object.keys(rules).map((name) => joined(parent, name));
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const subject = parent === undefined ? "the options" : `"${parent}"`;
    return `${subject} must be an object, got ${shown(options)}. Give an object with any of ${names.join(", ")}.`;
  }
  // A promise in place of a value may reject later.
  for (const value of Object.values(options)) leaveUnawaited(value);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const name = joined(parent, key);
    if (!Object.hasOwn(rules, key)) return `unknown option ${shown(name)}. Use one of ${names.join(", ")}.`;
    const problem = (rules as Record<string, OptionRule>)[key]!(value, name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function joined(parent: string | undefined, name: string): string {
  return parent === undefined ? name : `${parent}.${name}`;
}
