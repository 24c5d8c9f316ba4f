import type { PrivateFiles } from "../private-files.js";
import type { CheckCommand } from "./arguments.js";
import { ExitCode } from "./exit-code.js";
import { print, printJson } from "./print.js";

/** Checks, prints each problem and a summary, and returns the exit code: warnings alone are fine. */
export async function runCheck(files: PrivateFiles, { json, staticFolders }: CheckCommand): Promise<number> {
  const problems = await files.check({ staticFolders });
  for (const problem of problems) {
    const { severity, subject, message, code } = problem;
    await (json ? printJson({ kind: "problem", ...problem }) : print(`${severity} ${subject}: ${message} [${code}]`));
  }
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  await (json ? printJson({ kind: "summary", errors, warnings }) : print(`Errors: ${errors}. Warnings: ${warnings}.`));
  return errors > 0 ? ExitCode.found : ExitCode.fine;
}
