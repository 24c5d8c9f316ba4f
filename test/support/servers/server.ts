import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "../eventually.js";
import { freePort } from "../free-port.js";

/** A web server that listens on a port of loopback, with a temporary folder of its own. */
export interface Server {
  port: number;
  /** The id of its first process. */
  pid: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** How a server is started in the foreground. */
export interface ServerProgram {
  /** The name of the program, in the path or where Debian keeps servers. */
  program: string;
  /** The configuration for a port of 127.0.0.1. What the server writes belongs into its folder. */
  configuration(port: number, folder: string): string;
  /** The arguments, given the path of the file with the configuration. */
  args(file: string, folder: string): string[];
}

/**
 * Starts a server and waits until it listens.
 *
 * @throws Error with all that the server wrote, if it does not start.
 */
export async function startServer(how: ServerProgram): Promise<Server> {
  const log: string[] = [];
  // Another program may take the port before the server does.
  for (let attempt = 0; attempt < 3; attempt++) {
    const { server, log: text } = await start(how);
    if (server) return server;
    log.push(text!);
    if (!/address already in use/i.test(text!)) break;
  }
  throw new Error(`${how.program} did not start.\n${log.join("\n")}`);
}

async function start({ program, configuration, args }: ServerProgram): Promise<{ server?: Server; log?: string }> {
  const folder = await mkdtemp(join(tmpdir(), `private-files-${program}-`));
  const port = await freePort();
  const file = join(folder, "server.conf");
  await writeFile(file, configuration(port, folder));
  // A file, not a pipe: Apache opens /dev/stderr, and nobody has to read it meanwhile.
  const log = await open(join(folder, "log"), "w");
  const stdio = ["ignore" as const, log.fd, log.fd];
  const child = spawn(program, args(file, folder), { cwd: folder, stdio, env: environment(folder) });
  const closed = once(child, "close");
  await log.close();
  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    await closed;
    await rm(folder, { recursive: true, force: true });
  }
  await eventually(async () => {
    if (child.exitCode === null) await reach(port);
  });
  if (child.exitCode === null) return { server: { port, pid: child.pid!, stop } };
  const text = await readFile(join(folder, "log"), "utf8");
  await stop();
  return { log: text };
}

/** Whatever a server keeps, it keeps in its folder. */
function environment(folder: string): NodeJS.ProcessEnv {
  const homes = ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR"].map((name) => [name, folder]);
  return { ...process.env, ...Object.fromEntries(homes), PATH: `${process.env.PATH}${delimiter}/usr/sbin` };
}

async function reach(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
