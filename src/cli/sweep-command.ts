import type { PrivateFiles } from "../private-files.js";
import { quoted, visible } from "../quoted.js";
import type { SweepItem, SweepReport } from "../sweep/sweep-options.js";
import type { SweepCommand } from "./arguments.js";
import { ExitCode } from "./exit-code.js";
import { print, printJson, toJson } from "./print.js";
import { ProgressBar } from "./progress-bar.js";
import { explained } from "./reason.js";
import { targetLine, targetOf } from "./target.js";

/** Sweeps, prints each item and a summary, and returns the exit code. Ctrl+C ends it between two files. */
export async function runSweep(files: PrivateFiles, { json, options }: SweepCommand): Promise<number> {
  const bar = new ProgressBar();
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.once("SIGINT", interrupt);
  try {
    const report = await files.sweep({
      ...options,
      signal: abort.signal,
      onProgress: (progress) => bar.show(progress),
      async onItem(item) {
        bar.erase();
        await (json ? printJson(withMessage(item)) : print(visible(lineOf(item))));
      },
    });
    bar.erase();
    const dryRun = options.dryRun !== false;
    await (json
      ? printJson({ kind: "summary", ...targetOf(files.dataSource), dryRun, ...report })
      : print(`${visible(targetLine(files.dataSource))}\n${summary(report, dryRun)}`));
    return exitCode(report);
  } catch (error) {
    bar.erase();
    if (!abort.signal.aborted) throw error;
    console.error("private-files: interrupted. What was removed stays removed.");
    return ExitCode.interrupted;
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}

function exitCode({ orphans, removed, failed, missing, invalid }: SweepReport): number {
  if (failed > 0) return ExitCode.failed;
  return orphans > removed || missing + invalid > 0 ? ExitCode.found : ExitCode.fine;
}

function withMessage(item: SweepItem): object {
  return item.kind === "orphan" && item.error ? { ...item, error: explained(item.error) } : item;
}

function lineOf(item: SweepItem): string {
  const key = quoted(item.key);
  if (item.kind !== "orphan") return `${item.kind} ${key} of ${item.column} ${toJson(item.id)}`;
  const what = item.error ? "failed" : item.removed ? "removed" : "orphan";
  const details = `${sizeOf(item.size)}, ${item.modifiedAt.toISOString().slice(0, 10)}, ${item.columns.join(" or ")}`;
  return `${what} ${key} (${details})${item.error ? `: ${explained(item.error)}` : ""}`;
}

function summary(report: SweepReport, dryRun: boolean): string {
  const { listed, named, young, foreign, orphans, bytes, removed, failed, missing, invalid, incomplete } = report;
  const lines = [
    `${counted(listed, "file")}: ${named} named by rows, ${young} too young to tell, ${foreign} of others, ${counted(orphans, "orphan")} (${sizeOf(bytes)}).`,
  ];
  if (!dryRun) lines.push(`Removed ${counted(removed, "orphan")} and ${counted(incomplete, "interrupted upload")}.`);
  if (failed > 0) lines.push(`${counted(failed, "orphan")} could not be removed. Fix the cause, and run it again.`);
  if (dryRun && orphans > 0) lines.push("Nothing was removed. Run it with --delete to remove the orphans.");
  if (missing > 0) {
    lines.push(`${counted(missing, "row")} without a file. Restore the files.`);
  }
  if (invalid > 0) {
    lines.push(
      `${counted(invalid, "row")} with a value that is not a key. Give the files names that are keys, and change the rows.`,
    );
  }
  if (foreign > 0) {
    lines.push(
      "Files of others stay. If all files below a folder belong to private columns, name it: --prefix uploads/",
    );
  }
  return lines.join("\n");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function sizeOf(bytes: number): string {
  if (bytes < 1000) return counted(bytes, "byte");
  const power = Math.min(UNITS.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${UNITS[power - 1]}`;
}

const UNITS = ["kB", "MB", "GB", "TB", "PB"];
