import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { eventually } from "../support/eventually.js";
import { startNginx } from "../support/nginx.js";
import { isInstalled } from "../support/requirements.js";
import { cores, nodeOn, pin } from "./cores.js";
import { files } from "./files.js";
import { KOA_SEND, NGINX, OURS, OURS_ON_POSTGRES } from "./names.js";
import { type DatabaseName, missingDatabase } from "./open-database.js";

const peers = resolve(import.meta.dirname, "../../../test/bench/peers");

/** A server that is measured. */
export interface Server {
  pid: number;
  port: number;
  /** The path of each file, by its label. */
  paths: Record<string, string>;
  stop(): Promise<void>;
}

/** What is measured. */
export interface Contestant {
  /** What it is called in the results. */
  name: string;
  /** Whether it is this package. */
  ours: boolean;
  /** Why it can't be measured here. */
  missing?: string;
  /**
   * Starts it on a core of its own.
   *
   * @param folder an empty one, which it may use.
   * @param source the folder of the files.
   */
  start(folder: string, source: string): Promise<Server>;
}

/** How much an application has beside what it is asked for. */
export interface ApplicationSize {
  /** The rows that nobody asks for. (default: 100) */
  others?: number;
  /** The private columns of its data source, that of the files included. (default: 1) */
  columns?: number;
}

/** All of them, in the order of the results. */
export const contestants: Contestant[] = [
  application(OURS, "better-sqlite3"),
  application(OURS_ON_POSTGRES, "PostgreSQL"),
  peer(KOA_SEND, "koa-send"),
  peer("send", "send"),
  peer("sirv", "sirv"),
  peer("@fastify/static", "fastify-static"),
  {
    name: NGINX,
    ours: false,
    missing: isInstalled("nginx") ? undefined : "it is not installed",
    start: startStaticNginx,
  },
];

/** An application of the package's. */
export function application(name: string, database: DatabaseName, size: ApplicationSize = {}): Contestant {
  const program = join(import.meta.dirname, "application.js");
  const { others = 100, columns = 1 } = size;
  return {
    name,
    ours: true,
    missing: missingDatabase(database),
    start: (folder, source) => startNode(program, [database, folder, source, `${others}`, `${columns}`]),
  };
}

function peer(name: string, file: string): Contestant {
  return { name, ours: false, start: (_, source) => startNode(join(peers, `${file}.mjs`), [source]) };
}

async function startNode(program: string, args: string[]): Promise<Server> {
  const env = { ...process.env, NODE_ENV: "production" };
  const child = fork(program, args, { ...nodeOn(cores.server), env });
  const exited = once(child, "exit");
  const [started] = await Promise.race([once(child, "message"), exited]);
  if (typeof started !== "object" || !started) throw new Error(`${program} did not start.`);
  const { port, paths = pathsInRoot() } = started as { port: number; paths?: Record<string, string> };
  const stop = async () => {
    if (child.connected) child.disconnect();
    await exited;
  };
  return { pid: child.pid!, port, paths, stop };
}

async function startStaticNginx(_: string, source: string): Promise<Server> {
  const { port, pid, stop } = await startNginx({
    http: "sendfile on; keepalive_requests 1000000000;",
    server: `root ${source};`,
  });
  const worker = await onlyChildOf(pid);
  pin(worker, cores.server);
  return { pid: worker, port, paths: pathsInRoot(), stop };
}

/** nginx listens before its worker is there. */
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
