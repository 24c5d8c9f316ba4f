import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "./eventually.js";
import { freePort } from "./free-port.js";

/** An nginx of its own, in a folder of its own. */
export interface Nginx {
  port: number;
  /** The id of the master process. */
  pid: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts an nginx on a free port of loopback.
 *
 * @param http what stands in the `http` block before the server, e.g. `proxy_cache_path cache …`; paths are in its own folder.
 * @param server what stands in the `server` block.
 */
export async function startNginx({ http = "", server }: { http?: string; server: string }): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-nginx-"));
  const port = await freePort();
  await writeFile(join(folder, "nginx.conf"), configuration(port, http, server));
  const args = ["-p", folder, "-c", "nginx.conf", "-e", "error.log"];
  const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}/usr/sbin` };
  const child = spawn("nginx", args, { stdio: "ignore", env });
  const closed = once(child, "close");
  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    await closed;
    await rm(folder, { recursive: true, force: true });
  }
  await eventually(async () => {
    if (child.exitCode === null) await reach(port);
  });
  if (child.exitCode !== null) {
    const log = await readFile(join(folder, "error.log"), "utf8").catch(() => "");
    await stop();
    throw new Error(`nginx did not start.\n${log}`);
  }
  return { port, pid: child.pid!, stop };
}

function configuration(port: number, http: string, server: string): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${of};`);
  // Its workers would not be root otherwise, and the folder is for the one who made it.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `
    ${user}
    daemon off;
    worker_processes 1;
    pid nginx.pid;
    events {}
    http {
      access_log off;
      ${folders.join("\n")}
      ${http}
      server { listen 127.0.0.1:${port}; ${server} }
    }`;
}

async function reach(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
