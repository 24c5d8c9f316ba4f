import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigurationError } from "../errors.js";
import type { PrivateFiles } from "../private-files.js";
import { explained } from "./reason.js";

const DEFAULTS = ["ormconfig.js", "ormconfig.mjs", "ormconfig.cjs", "dist/ormconfig.js"];
const TYPESCRIPT = /\.[cm]?ts$/;
const HOW =
  "Compile it and name the .js file with --config, or run: node --import tsx node_modules/.bin/private-files <command> --config";

/**
 * The one `PrivateFiles` that a module exports.
 *
 * @param config the module's path. (default: the first of some usual names in the working directory)
 * @throws ConfigurationError when there is no module, it can't be loaded, or it exports none or several.
 */
export async function loadFiles(config?: string): Promise<PrivateFiles> {
  const path = resolve(config ?? defaultConfig());
  const shown = relative("", path);
  const [files, ...others] = [...new Set(exportsOf(await load(path, shown)).filter(isPrivateFiles))];
  if (files && others.length === 0) return files;
  throw new ConfigurationError(
    files
      ? `${shown}: it exports ${others.length + 1} PrivateFiles. Export one, or name another module with --config.`
      : `${shown}: it exports no PrivateFiles. Export one: export const files = new PrivateFiles(dataSource, { storage }).`,
  );
}

function defaultConfig(): string {
  const found = DEFAULTS.find((name) => existsSync(name));
  if (found) return found;
  const hint = existsSync("ormconfig.ts")
    ? `ormconfig.ts is TypeScript. ${HOW} ormconfig.ts`
    : "Name it with --config.";
  throw new ConfigurationError(`Configuration: there is no ${DEFAULTS.join(", ")} here. ${hint}`);
}

async function load(path: string, shown: string): Promise<Record<string, unknown>> {
  if (!existsSync(path)) throw new ConfigurationError(`${shown}: there is no such file. Name another with --config.`);
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    const hint = TYPESCRIPT.test(path)
      ? `Node can't run it as it is. ${HOW} ${shown}`
      : "Fix this error and try again.";
    throw new ConfigurationError(`${shown}: it can't be loaded: ${explained(cause).replace(/\.?$/, ".")} ${hint}`);
  }
}

/** What `import` shows of a CommonJS module may be its `default` alone. */
function exportsOf(module: Record<string, unknown>): unknown[] {
  const whole = module.default;
  return [...Object.values(module), ...(typeof whole === "object" && whole !== null ? Object.values(whole) : [])];
}

/** Not `instanceof`: the module may have another copy of the package than the command. */
function isPrivateFiles(value: unknown): value is PrivateFiles {
  return typeof value === "object" && value !== null && "dataSource" in value && "sweep" in value && "check" in value;
}
