#!/usr/bin/env node
import { main } from "./cli/main.js";

// Standard output is for the result alone; what a configuration or TypeORM's logger prints would be in its way.
console.log = console.info = console.debug = console.error;

const code = await main(process.argv.slice(2));
// A configuration may leave something open that would keep the process alive.
process.stdout.write("", () => process.exit(code));
