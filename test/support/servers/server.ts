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
  /** The configuration for a port of 127.0.0.1. Relative paths start at the server's folder if the program knows it. */
  configuration(port: number, folder: string): string;
  /** The arguments, given the path of the file with the configuration. */
  args(file: string, folder: string): string[];
}

/**
 * Starts a server and waits until it listens.
 *
 * @throws Error with all that the server wrote, if it does not start.
 */
export async function startServer({ program, configuration, args }: ServerProgram): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), `private-files-${program}-`));
  const port = await freePort();
  const file = join(folder, "server.conf");
  await writeFile(file, configuration(port, folder));
  // A file, and no pipe: servers open /dev/stderr, and nothing must read it.
  const log = await open(join(folder, "log"), "w");
  const child = spawn(program, args(file, folder), {
    cwd: folder,
    stdio: ["ignore", log.fd, log.fd],
    env: environment(folder),
  });
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
  if (child.exitCode !== null) {
    const text = await readFile(join(folder, "log"), "utf8");
    await stop();
    throw new Error(`${program} did not start.\n${text}`);
  }
  return { port, pid: child.pid!, stop };
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
