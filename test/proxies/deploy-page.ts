import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fencesOf } from "../support/markdown.js";

/** The page about servers in front, from which the tests take their configurations. */
const markdown = readFileSync(resolve(import.meta.dirname, "../../../docs/deploy.md"), "utf8");

/**
 * The configuration that the page shows for a server, for an application on another port than the one there.
 *
 * @param language the mark of its fence. If it has more, the first one counts that contains `part`.
 */
export function shownConfiguration(language: string, port: number, part = ""): string {
  const fence = fencesOf(markdown).find(({ info, code }) => info === language && code.includes(part));
  if (!fence) throw new Error(`docs/deploy.md shows no configuration marked ${language} with "${part}".`);
  return fence.code.replaceAll(/\b3000\b/g, String(port));
}
