import type { Problem } from "../check/problem.js";
import type { PrivateFiles } from "../private-files.js";
import { quoted, visible } from "../quoted.js";
import type { CheckCommand } from "./arguments.js";
import { ExitCode } from "./exit-code.js";
import { print, printJson, toJson } from "./print.js";
import { targetLine, targetOf } from "./target.js";

/** Checks, prints each problem and a summary, and returns the exit code: without an error all is fine. */
export async function runCheck(files: PrivateFiles, { json, staticFolders }: CheckCommand): Promise<number> {
  const problems = await files.check({ staticFolders });
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
  return errors! > 0 ? ExitCode.found : ExitCode.fine;
}

function linesOf({ severity, subject, message, code, count = 0, rows = [] }: Problem): string[] {
  const lines = [`${severity} ${subject}: ${message} [${code}]`];
  for (const { id, key } of rows) lines.push(`  ${quoted(key)} ${toJson(id)}`);
  if (count > rows.length) lines.push(`  and ${count - rows.length} more`);
  return lines;
}
