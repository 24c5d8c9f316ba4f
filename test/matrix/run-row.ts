import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { nodeProgram } from "./packages.js";
import { findDatabases, type RowDatabases } from "./row-databases.js";
import { makeRowFolder } from "./row-folder.js";
import type { Row } from "./rows.js";
import { testFiles } from "./test-files.js";

/** What came of a row. */
export interface RowResult {
  row: Row;
  databases: RowDatabases;
  /** What the run printed. */
  output: string;
  /** `null` when a signal ended the run. */
  exitCode: number | null;
  seconds: number;
}

/**
 * Runs the tests on the versions of a row: those whose path contains one of the parts, or all that are of the matrix.
 *
 * @param signal ends the run.
 */
export async function runRow(row: Row, parts: string[], signal: AbortSignal): Promise<RowResult> {
  const node = await nodeProgram(row.node);
  const folder = await makeRowFolder(row);
  try {
    const databases = await findDatabases(folder, node);
    const started = performance.now();
    const files = await testFiles(folder, parts);
    const run = await runTests(folder, node, files, databases.used, signal);
    return { row, databases, ...run, seconds: (performance.now() - started) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runTests(folder: string, node: string, files: string[], databases: string[], signal: AbortSignal) {
  const child = spawn(node, ["dist/test/run.js", ...files], {
    cwd: folder,
    env: {
      ...process.env,
      TEST_DATABASES: databases.join(),
      // The programs that tests start find the row's Node, too.
      PATH: dirname(node) + delimiter + process.env.PATH,
    },
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  const exited = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  child.stdout.pipe(process.stdout, { end: false });
  const [output, exitCode] = await Promise.all([text(child.stdout), exited]);
  return { output, exitCode };
}
