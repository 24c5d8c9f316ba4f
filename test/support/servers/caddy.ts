import { type Server, startServer } from "./server.js";

/** Starts a Caddy without TLS, with these lines for its only site. */
export function startCaddy(lines: string): Promise<Server> {
  return startServer({
    program: "caddy",
    configuration: (port, folder) => configuration(port, folder, lines),
    args: (file) => ["run", "--config", file, "--adapter", "caddyfile"],
  });
}

function configuration(port: number, folder: string, lines: string): string {
  return `
{
  admin off
  auto_https off
  storage file_system ${folder}
}
http://:${port} {
  bind 127.0.0.1
  ${lines}
}
`;
}
