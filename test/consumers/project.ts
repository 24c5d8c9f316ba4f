import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { without } from "../support/requirements.js";

const checkout = resolve(import.meta.dirname, "../../..");
const sources = join(checkout, "test/consumers/sources");
const run = promisify(execFile);

/** What a consumer installs beside the package: a folder of `test/consumers` with a lockfile of its own. */
export type Libraries = "typeorm-1.1" | "typeorm-0.3";

/** Why the tests of this folder are skipped; `false` where they run. They use what `npm run consumers:install` installs. */
export const withoutTools = without("other compilers and test runners");

/** A folder outside of the checkout in which the packed package is installed for good, and the libraries and tools by links. */
export class Workspace {
  private constructor(private readonly folder: string) {}

  static async open(libraries: Libraries): Promise<Workspace> {
    const workspace = new Workspace(await realpath(await mkdtemp(join(tmpdir(), "consumers-"))));
    await workspace.link("tools");
    await workspace.link(libraries);
    await workspace.installPackage();
    return workspace;
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }

  /** Makes a project in a folder of its own, of these files. A file that is an object is written as JSON. */
  async project(name: string, files: Record<string, string | object>): Promise<Project> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    for (const [path, content] of Object.entries(files)) {
      await writeFile(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
    }
    return new Project(folder);
  }

  /** A folder of `test/consumers` has what its own package.json names, and nothing that its packages brought along. */
  private async link(name: string): Promise<void> {
    const folder = join(checkout, "test/consumers", name);
    const { dependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const installed = JSON.parse(
      await readFile(join(folder, "node_modules/.package-lock.json"), "utf8").catch(missing),
    );
    for (const path of [...Object.keys(dependencies), ".bin"]) {
      if (path !== ".bin" && !installed.packages[`node_modules/${path}`]) missing();
      const link = join(this.folder, "node_modules", path);
      await mkdir(dirname(link), { recursive: true });
      if (path !== ".bin" || name === "tools") await symlink(join(folder, "node_modules", path), link);
    }
  }

  /** Packs the checkout as it is built. npm would build it again. */
  private async installPackage(): Promise<void> {
    const options = ["pack", "--json", "--ignore-scripts", "--pack-destination", this.folder];
    const { stdout } = await run("npm", options, { cwd: checkout, env: environment() });
    const [{ filename, name }] = JSON.parse(stdout) as [{ filename: string; name: string }];
    const installed = join(this.folder, "node_modules", name);
    await mkdir(installed);
    await run("tar", ["-xzf", join(this.folder, filename), "--strip-components=1", "-C", installed]);
  }
}

/** A project of somebody who uses the package. */
export class Project {
  constructor(private readonly folder: string) {}

  /** Runs commands as a reader pastes them, and stops at the first that fails. Standard output, or an error that says all. */
  async run(commands: string): Promise<string> {
    const { stdout } = await run("sh", ["-ec", commands], { cwd: this.folder, env: environment() }).catch(
      ({ stdout, stderr }) => {
        throw new Error(`${commands}\n${stdout}${stderr}`);
      },
    );
    return stdout;
  }

  /** The text of a file of the project. */
  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }
}

/** The text of a file of `sources`. */
export function source(name: string): Promise<string> {
  return readFile(join(sources, name), "utf8");
}

function missing(): never {
  throw new Error("Something is not installed that the tests of test/consumers need. Run: npm run consumers:install");
}

/** Without what the test runner and a measurement of coverage tell their own children. */
function environment(): NodeJS.ProcessEnv {
  const {
    NODE_V8_COVERAGE: _,
    NODE_TEST_CONTEXT: __,
    NODE_OPTIONS: ___,
    FORCE_COLOR: ____,
    ...inherited
  } = process.env;
  // Else npx asks the registry for a program that is not installed.
  return { ...inherited, NO_COLOR: "1", npm_config_yes: "false" };
}
