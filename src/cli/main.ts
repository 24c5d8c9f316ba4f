import { createRequire } from "node:module";
import type { DataSource } from "typeorm";
import type { PrivateFiles } from "../private-files.js";
import { visible } from "../quoted.js";
import { type FilesCommand, parseCommand, UsageError } from "./arguments.js";
import { runCheck } from "./check-command.js";
import { loadFiles } from "./config.js";
import { ExitCode } from "./exit-code.js";
import { HELP } from "./help.js";
import { print } from "./print.js";
import { explained } from "./reason.js";
import { runSweep } from "./sweep-command.js";
import { databaseOf, targetLine } from "./target.js";

/** Runs the command line. Never throws: what fails is said on standard error. Returns the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    const command = parseCommand(args);
    if (command.name === "help") return await show(HELP);
    if (command.name === "version") return await show(version());
    return await withFiles(command, (files) =>
      command.name === "sweep" ? runSweep(files, command) : runCheck(files, command),
    );
  } catch (error) {
    const hint = error instanceof UsageError ? " See private-files --help." : "";
    console.error(visible(`private-files: ${explained(error)}${hint}`));
    return ExitCode.failed;
  }
}

async function show(text: string): Promise<number> {
  await print(text);
  return ExitCode.fine;
}

function version(): string {
  return createRequire(import.meta.url)("typeorm-private-files/package.json").version;
}

/** An error of this package is not a failure to reach the database. */
async function open(dataSource: DataSource): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && String(cause.code).startsWith("ERR_PRIVATE_FILE_")) throw cause;
    throw new Error(
      `the database ${databaseOf(dataSource)} can't be opened: ${explained(cause).replace(/\.?$/, ".")} Check that it runs, and the options of the data source.`,
    );
  }
}

/** Opens the data source where the configuration has not, and closes it in any case. */
async function withFiles(command: FilesCommand, running: (files: PrivateFiles) => Promise<number>): Promise<number> {
  const files = await loadFiles(command.config);
  const { dataSource } = files;
  try {
    if (!dataSource.isInitialized) await open(dataSource);
    return await running(files).catch((error: unknown) => {
      console.error(visible(targetLine(dataSource)));
      throw error;
    });
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
