import { type Server, startServer } from "./server.js";

/** What an nginx serves. */
export interface NginxOptions {
  /** Lines of the `http` block before the server, such as `proxy_cache_path cache …`. */
  http?: string;
  /** Lines of the `server` block. */
  server: string;
}

/** Starts an nginx with one worker. Relative paths are in its own folder. */
export function startNginx({ http = "", server }: NginxOptions): Promise<Server> {
  return startServer({
    program: "nginx",
    configuration: (port) => configuration(port, http, server),
    args: (file, folder) => ["-p", folder, "-c", file, "-e", "stderr"],
  });
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
    error_log stderr;
    events {}
    http {
      access_log off;
      ${folders.join("\n")}
      ${http}
      server { listen 127.0.0.1:${port}; ${server} }
    }`;
}
