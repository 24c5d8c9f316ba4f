import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { eventually } from "../support/eventually.js";
import { isInstalled } from "../support/requirements.js";
import { startNginx } from "../support/servers/nginx.js";
import { cores, messageOf, pin, startNode } from "./child-process.js";
import { type DatabaseName, missingDatabase, sqlite } from "./databases.js";
import { files } from "./files.js";

/** This package on SQLite, in the tables. */
export const OURS = `typeorm-private-files, ${sqlite.name}`;
/** The server that all others are compared with: Koa users send files with it. */
export const KOA_SEND = "koa-send";

/** A server that can be measured. */
export interface Contestant {
  /** Its name in the tables. */
  name: string;
  /** Why it can't be measured here. */
  missing?: string;
  /**
   * Starts it on the measured core.
   *
   * @param folder where it may make a folder; the files are in it, too.
   */
  start(folder: string): Promise<Started>;
}

/** A running server. */
export interface Server {
  /** Its name in the tables. */
  name: string;
  pid: number;
  port: number;
  /** The path of each file, by its label. */
  paths: Record<string, string>;
  stop(): Promise<void>;
}

type Started = Omit<Server, "name">;

/** All contestants, in the order of the tables. */
export const contestants: Contestant[] = [
  application(OURS, "SQLite"),
  application("typeorm-private-files, PostgreSQL", "PostgreSQL"),
  ...[KOA_SEND, "send", "sirv", "@fastify/static"].map(peer),
  { name: "nginx", missing: isInstalled("nginx") ? undefined : "it is not installed", start: startStaticNginx },
];

/**
 * An application with this package.
 *
 * @param size how many other rows its table has, and how many private columns there are in all.
 */
export function application(name: string, database: DatabaseName, { others = 100, columns = 1 } = {}): Contestant {
  const program = join(import.meta.dirname, "application.js");
  const start = async (folder: string) => {
    const own = await mkdtemp(join(folder, "application-"));
    return startServer(program, [database, own, folder, `${others}`, `${columns}`]);
  };
  return { name, missing: missingDatabase(database), start };
}

/** Starts all contestants that are not missing, and stops them after the work. */
export async function withServers<T>(
  all: readonly Contestant[],
  folder: string,
  work: (servers: Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const { name, missing, start } of all) {
      if (missing) console.error(`Without ${name}: ${missing}.`);
      else servers.push({ name, ...(await start(folder)) });
    }
    return await work(servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function peer(name: string): Contestant {
  const file = `${name.replace(/^@/, "").replace("/", "-")}.mjs`;
  const program = resolve(import.meta.dirname, "../../../test/bench/peers", file);
  return { name, start: (folder) => startServer(program, [folder]) };
}

async function startServer(program: string, args: string[]): Promise<Started> {
  const child = startNode(program, args);
  const exited = once(child, "exit");
  const { port, paths = pathsInRoot() } = await messageOf<Pick<Started, "port"> & Partial<Started>>(child);
  const stop = async () => {
    if (child.connected) child.disconnect();
    await exited;
  };
  return { pid: child.pid!, port, paths, stop };
}

async function startStaticNginx(folder: string): Promise<Started> {
  const { port, pid, stop } = await startNginx({
    http: "sendfile on; keepalive_requests 1000000000;",
    server: `root ${folder};`,
  });
  const worker = await onlyChildOf(pid);
  pin(worker, cores.measured);
  return { pid: worker, port, paths: pathsInRoot(), stop };
}

/** nginx listens before its worker runs. */
async function onlyChildOf(pid: number): Promise<number> {
  let child = 0;
  await eventually(async () => {
    child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1"), 10);
    assert.ok(child > 0);
  });
  return child;
}

function pathsInRoot(): Record<string, string> {
  return Object.fromEntries(files.map(({ label, name }) => [label, `/${name}`]));
}
