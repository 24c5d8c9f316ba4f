#!/usr/bin/env node
import "./node-version.js";

import { ExitCode } from "./cli/exit-code.js";
import { main } from "./cli/main.js";

// Standard output is for the result alone; what a configuration or TypeORM's logger prints would be in its way.
console.log = console.info = console.debug = console.error;

// Nothing is left that could come, and the command is not done. Versions of Node differ in what they say and do then.
process.once("beforeExit", () => {
  console.error("private-files: the configuration or the database never finished opening. Look what it awaits.");
  process.exit(ExitCode.failed);
});

const code = await main(process.argv.slice(2));
// A configuration may leave something open that would keep the process alive.
process.stdout.write("", () => process.exit(code));
