import { spawn } from "node:child_process";

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
