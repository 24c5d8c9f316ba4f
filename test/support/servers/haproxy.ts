import { type Server, startServer } from "./server.js";

/** Starts a HAProxy with a configuration that binds port 80, on another port of loopback. */
export function startHaproxy(lines: string): Promise<Server> {
  return startServer({
    program: "haproxy",
    configuration: (port) => lines.replace("bind :80", `bind 127.0.0.1:${port}`),
    args: (file) => ["-db", "-f", file],
  });
}
