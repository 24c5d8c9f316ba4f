import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Why tests that run these programs are skipped here, or `false` when they run. Where `REQUIRE_SERVERS` is set they run, and
 * fail for a program that is missing.
 */
export function skipWithout(...programs: string[]): string | false {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length > 0 && !process.env.REQUIRE_SERVERS ? `not installed: ${missing.join(", ")}` : false;
}

/** What a child process said. */
export interface ChildResult {
  /** Its exit code; `null` when a signal ended it. */
  code: number | null;
  /** What it wrote to standard output. */
  stdout: string;
  /** What it wrote to standard error. */
  stderr: string;
}

/** Runs a command to its end. */
export function run(command: string, ...args: string[]): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (output.stdout += chunk));
    child.stderr.on("data", (chunk) => (output.stderr += chunk));
    child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: String(error) }));
    child.on("close", (code) => resolve({ code, ...output }));
  });
}

function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  // Debian keeps servers where users do not look for programs.
  return [...folders, "/usr/sbin"].some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
