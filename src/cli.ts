#!/usr/bin/env node
import "./node-version.js";

import { ExitCode } from "./cli/exit-code.js";
import { main } from "./cli/main.js";

// Standard output is for the result alone; what a configuration or TypeORM's logger prints would be in its way.
console.log = console.info = console.debug = console.error;

// Node ends by itself, and says nothing, when nothing is left that could come.
process.once("exit", () => {
  if (process.exitCode !== 13) return;
  console.error("private-files: the configuration or the database never finished opening. Look what it awaits.");
  process.exitCode = ExitCode.failed;
});

const code = await main(process.argv.slice(2));
// A configuration may leave something open that would keep the process alive.
process.stdout.write("", () => process.exit(code));
