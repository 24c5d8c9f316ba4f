import type { PrivateFiles } from "../private-files.js";
import { quoted, visible } from "../quoted.js";
import type { SweepItem, SweepReport } from "../sweep/sweep-options.js";
import { difference } from "../verification/finding.js";
import type { SweepCommand } from "./arguments.js";
import { ExitCode } from "./exit-code.js";
import { interruptible } from "./interruption.js";
import { print, printJson, toJson } from "./print.js";
import { ProgressBar } from "./progress-bar.js";
import { explained } from "./reason.js";
import { targetLine, targetOf } from "./target.js";

/** Sweeps, prints each item and a summary, and returns the exit code. Ctrl+C ends it between two files. */
export async function runSweep(files: PrivateFiles, command: SweepCommand): Promise<number> {
  const bar = new ProgressBar();
  const report = await interruptible((signal) => sweep(files, command, bar, signal)).finally(() => bar.erase());
  if (report === undefined) {
    console.error("private-files: interrupted. What was removed stays removed.");
    return ExitCode.interrupted;
  }
  const dryRun = command.options.dryRun !== false;
  await (command.json
    ? printJson({ kind: "summary", ...targetOf(files.dataSource), dryRun, ...report })
    : print(`${visible(targetLine(files.dataSource))}\n${summary(report, dryRun)}`));
  return exitCode(report);
}

function sweep(
  files: PrivateFiles,
  { json, options }: SweepCommand,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<SweepReport> {
  return files.sweep({
    ...options,
    signal,
    onProgress: (progress) => bar.show(progress),
    async onItem(item) {
      bar.erase();
      await (json ? printJson(withMessage(item)) : print(visible(lineOf(item))));
    },
  });
}

function exitCode({ orphans, removed, failed, missing, invalid, verification }: SweepReport): number {
  const { altered = 0, unreadable = 0 } = verification ?? {};
  if (failed + unreadable > 0) return ExitCode.failed;
  return orphans > removed || missing + invalid + altered > 0 ? ExitCode.found : ExitCode.fine;
}

function withMessage(item: SweepItem): object {
  return "error" in item && item.error ? { ...item, error: explained(item.error) } : item;
}

function lineOf(item: SweepItem): string {
  const key = quoted(item.key);
  if (item.kind !== "orphan") return `${item.kind} ${key} of ${item.column} ${toJson(item.id)}${reasonOf(item)}`;
  const what = item.error ? "failed" : item.removed ? "removed" : "orphan";
  const details = `${sizeOf(item.size)}, ${item.modifiedAt.toISOString().slice(0, 10)}, ${item.columns.join(" or ")}`;
  return `${what} ${key} (${details})${item.error ? `: ${explained(item.error)}` : ""}`;
}

function reasonOf(item: SweepItem): string {
  if (item.kind === "altered") return `: ${difference(item.expected, item.found)}`;
  return item.kind === "unreadable" ? `: ${explained(item.error)}` : "";
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
  return [...lines, ...verificationLines(report)].join("\n");
}

function verificationLines({ verification }: SweepReport): string[] {
  if (verification === undefined) return [];
  const { verified, unverified, altered, unreadable } = verification;
  const lines = [
    `${counted(verified, "row")} verified, ${unverified} without a digest, ${altered} altered, ${unreadable} unreadable.`,
  ];
  if (altered > 0) {
    lines.push(
      `${counted(altered, "row")} whose file has other bytes than the row says. Restore the file, or correct the row if the file is right.`,
    );
  }
  if (unreadable > 0) lines.push(`${counted(unreadable, "file")} could not be read. Fix the cause, and run it again.`);
  return lines;
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
