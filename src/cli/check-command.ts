import type { CheckProgress, Problem } from "../check/problem.js";
import type { PrivateFiles } from "../private-files.js";
import { quoted, visible } from "../quoted.js";
import type { CheckCommand } from "./arguments.js";
import { ExitCode } from "./exit-code.js";
import { interruptible } from "./interruption.js";
import { print, printJson, toJson } from "./print.js";
import { ProgressBar } from "./progress-bar.js";
import { targetLine, targetOf } from "./target.js";

/** Checks, prints each problem and a summary, and returns the exit code: without an error all is fine. */
export async function runCheck(files: PrivateFiles, { json, options }: CheckCommand): Promise<number> {
  const bar = new ProgressBar();
  const onProgress = (progress: CheckProgress) => bar.show(progress);
  const problems = await interruptible((signal) => files.check({ ...options, signal, onProgress })).finally(() =>
    bar.erase(),
  );
  if (problems === undefined) {
    console.error("private-files: interrupted.");
    return ExitCode.interrupted;
  }
  await report(files, problems, json);
  return problems.some(({ severity }) => severity === "error") ? ExitCode.found : ExitCode.fine;
}

async function report(files: PrivateFiles, problems: Problem[], json: boolean): Promise<void> {
  for (const problem of problems) {
    await (json ? printJson({ kind: "problem", ...problem }) : print(linesOf(problem).map(visible).join("\n")));
  }
  const [errors, warnings, infos] = (["error", "warning", "info"] as const).map(
    (severity) => problems.filter((problem) => problem.severity === severity).length,
  );
  const summary = `Errors: ${errors}. Warnings: ${warnings}. Infos: ${infos}.`;
  await (json
    ? printJson({ kind: "summary", ...targetOf(files.dataSource), errors, warnings, infos })
    : print(`${visible(targetLine(files.dataSource))}\n${summary}`));
}

function linesOf({ severity, subject, message, code, count = 0, rows = [] }: Problem): string[] {
  const lines = [`${severity} ${subject}: ${message} [${code}]`];
  for (const { id, key, reason } of rows) {
    lines.push(`  ${quoted(key)} ${toJson(id)}${reason === undefined ? "" : `: ${reason}`}`);
  }
  if (count > rows.length) lines.push(`  and ${count - rows.length} more`);
  return lines;
}
