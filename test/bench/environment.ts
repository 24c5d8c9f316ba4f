import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, release, type } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** What the servers are made of, and where each is. */
const PACKAGES = {
  node_modules: ["typeorm", "koa", "@koa/router", "koa-send", "pg"],
  "test/bench/peers/node_modules": ["better-sqlite3", "send", "sirv", "fastify", "@fastify/static"],
};

/** Where and on what the measuring was done. */
export interface Environment {
  machine: string;
  versions: string;
  /** The commit, and whether the code was that. */
  commit: string;
}

/** Describes this machine and this checkout. */
export async function describeEnvironment(checkout: string): Promise<Environment> {
  const processors = cpus();
  return {
    machine: `${processors[0]?.model ?? "unknown processor"}, ${processors.length} cores, ${type()} ${release()}`,
    versions: [`Node ${process.versions.node}`, ...(await packageVersions(checkout)), ...(await nginxVersion())].join(
      ", ",
    ),
    commit: await commitOf(checkout),
  };
}

async function packageVersions(checkout: string): Promise<string[]> {
  const places = Object.entries(PACKAGES).flatMap(([folder, names]) => names.map((name) => ({ folder, name })));
  return Promise.all(
    places.map(async ({ folder, name }) => {
      const { version } = JSON.parse(await readFile(join(checkout, folder, name, "package.json"), "utf8"));
      return `${name} ${version}`;
    }),
  );
}

/** Nothing where there is no nginx. */
async function nginxVersion(): Promise<string[]> {
  const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}/usr/sbin` };
  const said = await run("nginx", ["-v"], { env }).catch(() => undefined);
  return said ? [`nginx ${/nginx\/(\S+)/.exec(said.stderr)?.[1]}`] : [];
}

async function commitOf(checkout: string): Promise<string> {
  const git = async (...args: string[]) => (await run("git", args, { cwd: checkout })).stdout.trim();
  const changes = await git("status", "--porcelain", "--", "src", "test", "package.json", ":!test/bench/ratios.json");
  return `${await git("rev-parse", "--short", "HEAD")}${changes ? ", with changes that are not committed" : ""}`;
}
