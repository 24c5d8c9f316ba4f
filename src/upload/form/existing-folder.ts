import { statSync } from "node:fs";
import { must } from "../../options.js";

/** The rule for the option that names the folder of temporary files. */
export const existingFolder = must("the path of a folder that is there", isFolder, "Make the folder first");

function isFolder(value: unknown): boolean {
  return typeof value === "string" && (statSync(value, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
