import { type Server, startServer } from "./server.js";

const MODULES = ["mpm_event", "authz_core", "proxy", "proxy_http"];

/** Starts an Apache with mod_proxy_http and these lines. */
export function startApache(lines: string): Promise<Server> {
  return startServer({
    program: "apache2",
    configuration: (port, folder) => configuration(port, folder, lines),
    args: (file) => ["-f", file, "-DFOREGROUND"],
  });
}

function configuration(port: number, folder: string, lines: string): string {
  // Apache never serves as root.
  const user = process.getuid?.() === 0 ? ["User #65534", "Group #65534"] : [];
  return `${[
    "ServerRoot /usr/lib/apache2",
    ...MODULES.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`),
    ...user,
    "ServerName localhost",
    `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/apache.pid`,
    `DefaultRuntimeDir ${folder}`,
    "ErrorLog /dev/stderr",
  ].join("\n")}\n${lines}`;
}
