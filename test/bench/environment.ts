import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, release, type } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NODE_MODULES = "node_modules";
const PEERS = "test/bench/peers/node_modules";
/** What an application of the package's is made of: each package's folder. */
export const applicationPackages = {
  ...{ typeorm: NODE_MODULES, koa: NODE_MODULES, "@koa/router": NODE_MODULES, pg: NODE_MODULES },
  "better-sqlite3": PEERS,
};
/** What the servers are made of that it is compared with. */
export const peerPackages = {
  "koa-send": NODE_MODULES,
  ...{ send: PEERS, sirv: PEERS, fastify: PEERS, "@fastify/static": PEERS },
};

/** Where and on what the measuring was done. */
export interface Environment {
  machine: string;
  versions: string[];
  /** The commit, and whether the code was that. */
  commit: string;
}

/**
 * Describes this machine and this checkout.
 *
 * @param packages those whose versions matter, each with its folder.
 */
export async function describeEnvironment(
  checkout: string,
  packages: Readonly<Record<string, string>>,
): Promise<Environment> {
  const processors = cpus();
  return {
    machine: `${processors[0]?.model ?? "unknown processor"}, ${processors.length} cores, ${type()} ${release()}`,
    versions: [`Node ${process.versions.node}`, ...(await packageVersions(checkout, packages))],
    commit: await commitOf(checkout),
  };
}

/** The same as a list of Markdown. */
export function listOf({ machine, versions, commit }: Environment): string {
  return `- ${machine}\n- ${versions.join(", ")}\n- commit ${commit}`;
}

async function packageVersions(checkout: string, packages: Readonly<Record<string, string>>): Promise<string[]> {
  return Promise.all(
    Object.entries(packages).map(async ([name, folder]) => {
      const { version } = JSON.parse(await readFile(join(checkout, folder, name, "package.json"), "utf8"));
      return `${name} ${version}`;
    }),
  );
}

/** The version of nginx; nothing where there is none. */
export async function nginxVersion(): Promise<string[]> {
  const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}/usr/sbin` };
  const said = await run("nginx", ["-v"], { env }).catch(() => undefined);
  return said ? [`nginx ${/nginx\/(\S+)/.exec(said.stderr)?.[1]}`] : [];
}

async function commitOf(checkout: string): Promise<string> {
  const git = async (...args: string[]) => (await run("git", args, { cwd: checkout })).stdout.trim();
  const changes = await git("status", "--porcelain", "--", "src", "test", "package.json", ":!test/bench/ratios.json");
  return `${await git("rev-parse", "--short", "HEAD")}${changes ? ", with changes that are not committed" : ""}`;
}
