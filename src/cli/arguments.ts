import { type ParseArgsConfig, parseArgs } from "node:util";
import type { CheckOptions } from "../check/problem.js";
import { quoted } from "../quoted.js";
import type { SweepOptions } from "../sweep/sweep-options.js";
import { durationSeconds } from "./duration.js";

/** The command line was written wrongly. */
export class UsageError extends Error {}

/** `private-files sweep`. */
export interface SweepCommand {
  name: "sweep";
  /** The module that exports the `PrivateFiles`. */
  config?: string;
  /** Whether the output is for a program. */
  json: boolean;
  /** What the sweep is told. */
  options: SweepOptions;
}

/** `private-files check`. */
export interface CheckCommand {
  name: "check";
  /** The module that exports the `PrivateFiles`. */
  config?: string;
  /** Whether the output is for a program. */
  json: boolean;
  /** What the check is told. */
  options: CheckOptions;
}

/** A command that works on a `PrivateFiles`. */
export type FilesCommand = SweepCommand | CheckCommand;

/** What the command line may ask for. */
export type Command = FilesCommand | { name: "help" } | { name: "version" };

/** @throws UsageError for a command line that says nothing sensible. */
export function parseCommand(args: string[]): Command {
  const [name, ...rest] = args;
  if (args.includes("--help") || args.includes("-h")) return { name: "help" };
  if (name === "--version") return { name: "version" };
  if (name === "sweep") return sweepCommand(rest);
  if (name === "check") return checkCommand(rest);
  if (name === undefined) throw new UsageError("no command is given.");
  throw new UsageError(`the first argument must be sweep or check, got ${quoted(name)}.`);
}

function sweepCommand(args: string[]): SweepCommand {
  const {
    config,
    json,
    delete: remove,
    prefix,
    force,
    verify,
    "older-than": olderThan,
  } = parse(args, {
    ...COMMON,
    delete: { type: "boolean", default: false },
    "older-than": { type: "string" },
    prefix: { type: "string", multiple: true },
    force: { type: "boolean", default: false },
    verify: { type: "boolean" },
  });
  assertNotEmpty("prefix", prefix);
  const options: SweepOptions = { dryRun: !remove, prefixes: prefix, force };
  if (verify) options.verify = true;
  if (olderThan !== undefined) options.olderThan = grace(olderThan);
  return { name: "sweep", config, json, options };
}

function checkCommand(args: string[]): CheckCommand {
  const {
    config,
    json,
    verify,
    static: staticFolders,
  } = parse(args, {
    ...COMMON,
    verify: { type: "boolean", default: false },
    static: { type: "string", multiple: true },
  });
  assertNotEmpty("static", staticFolders);
  return { name: "check", config, json, options: { staticFolders, verify } };
}

const COMMON = { config: { type: "string" }, json: { type: "boolean", default: false } } as const;

function parse<const O extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\.\s/, 1);
    throw new UsageError(`${sentence}.`);
  }
}

/** As with a variable of the shell that has no value. */
function assertNotEmpty(name: string, values: string[] = []): void {
  if (values.includes("")) throw new UsageError(`"--${name}" must not be empty, got "".`);
}

function grace(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds !== undefined) return seconds;
  throw new UsageError(
    `"--older-than" must be a duration, got ${quoted(text)}. Give seconds, or a number with s, m, h or d such as 24h.`,
  );
}
