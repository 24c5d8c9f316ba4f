import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fencesOf } from "../support/markdown.js";

const page = resolve(import.meta.dirname, "../../../docs/tools.md");

/** The page for users of other tools, which the tests follow. */
export function toolsPage(): Promise<string> {
  return readFile(page, "utf8");
}

/** The configuration that a section of the page shows: a file by its name, as it is there. */
export async function configuration(heading: string): Promise<Record<string, string>> {
  const files = (await sectionOf(heading)).matchAll(/^In `([\w.]+)`[^\n]*\n\n```json\n(.*?)^```$/gms);
  const shown = Object.fromEntries([...files].map(([, name, content]) => [name, content!]));
  assert.notDeepEqual(shown, {}, `docs/tools.md shows no configuration below ${heading}`);
  return shown;
}

/** The command that a section of the page shows. */
export async function command(heading: string): Promise<string> {
  const [fence] = fencesOf(await sectionOf(heading)).filter(({ info }) => info === "sh");
  assert.ok(fence, `docs/tools.md shows no command below ${heading}`);
  return fence.code;
}

/** What stands below a heading, up to the next one. */
async function sectionOf(heading: string): Promise<string> {
  const sections = (await toolsPage()).split(/^#+ /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section, `docs/tools.md has no heading ${heading}`);
  return section;
}
