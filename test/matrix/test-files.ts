import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** What is the same on each version: the text of the sources and of the pages, the benchmark, and the tests' own tools. */
const SAME_EVERYWHERE = /^(bench|conformance|matrix)\/|^(docs|layers|readme|reporter)\.test/;

/** The paths of the tests that a row runs, from the folder of the tests on. */
export async function testFiles(folder: string, parts: string[]): Promise<string[]> {
  const names = await readdir(join(folder, "dist/test"), { recursive: true });
  const tests = names.filter((name) => name.endsWith(".test.js") && !SAME_EVERYWHERE.test(name));
  const wanted = tests.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
  if (wanted.length === 0) throw new Error(`No test file of the matrix has a path with ${parts.join(" or ")}.`);
  return wanted.sort();
}
