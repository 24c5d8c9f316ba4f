import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { run } from "node:test";
import report from "./support/reporter.js";

// Runs the compiled tests: all of them, or those whose path contains one of the arguments, e.g.
// `npm test -- http/select-ranges`. An argument that begins with "!" leaves files out.

/** A test that hangs fails after so many milliseconds. No test is ever cut for being slow on a busy machine. */
const HANGS = 15 * 60_000;

const sources = resolve(import.meta.dirname, "../../test");
const wanted = process.argv.slice(2).filter((part) => !part.startsWith("!"));
const unwanted = process.argv.slice(2).flatMap((part) => (part.startsWith("!") ? part.slice(1) : []));

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.js"))
  // What was compiled from a source that has another name by now.
  .filter((file) => existsSync(join(sources, file.replace(/\.js$/, ".ts"))))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => !unwanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(import.meta.dirname, file));

if (files.length === 0) {
  console.error(`No test file has a path with ${wanted.join(" or ")}.`);
  process.exitCode = 1;
} else {
  run({ files, concurrency: availableParallelism() + 1, timeout: HANGS })
    .on("test:fail", () => (process.exitCode = 1))
    .compose(report)
    .pipe(process.stdout);
}
