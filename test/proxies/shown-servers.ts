import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fencesOf } from "../support/markdown.js";
import { startApache } from "../support/servers/apache.js";
import { startCaddy } from "../support/servers/caddy.js";
import { startHaproxy } from "../support/servers/haproxy.js";
import { startLighttpd } from "../support/servers/lighttpd.js";
import { startNginx } from "../support/servers/nginx.js";
import type { Server } from "../support/servers/server.js";

const markdown = readFileSync(resolve(import.meta.dirname, "../../../docs/deploy.md"), "utf8");

/** A server in front, configured as docs/deploy.md shows it. */
export interface ShownServer {
  name: string;
  program: string;
  /** Starts it for an application that listens on a port of loopback. */
  start(port: number): Promise<Server>;
}

/** All of them. */
export const SHOWN_SERVERS: ShownServer[] = [
  {
    name: "nginx",
    program: "nginx",
    start: (port) => startNginx({ server: shownConfiguration("nginx", port) }),
  },
  { name: "Apache", program: "apache2", start: (port) => startApache(shownConfiguration("apache", port)) },
  { name: "lighttpd", program: "lighttpd", start: (port) => startLighttpd(shownConfiguration("lighttpd", port)) },
  { name: "Caddy", program: "caddy", start: (port) => startCaddy(shownConfiguration("caddyfile", port)) },
  { name: "HAProxy", program: "haproxy", start: (port) => startHaproxy(shownConfiguration("haproxy", port)) },
];

/** The server of this name. */
export function shownServer(name: string): ShownServer {
  return SHOWN_SERVERS.find((server) => server.name === name)!;
}

/**
 * A configuration of docs/deploy.md, for an application that listens on another port than the one there.
 *
 * @param language what its fence is marked with.
 * @param part what it contains, where it is not the first of its language.
 */
export function shownConfiguration(language: string, port: number, part = ""): string {
  const fence = fencesOf(markdown).find(({ info, code }) => info === language && code.includes(part));
  if (!fence) throw new Error(`docs/deploy.md has no fence marked ${language} that contains "${part}".`);
  return fence.code.replaceAll(/\b3000\b/g, String(port));
}
