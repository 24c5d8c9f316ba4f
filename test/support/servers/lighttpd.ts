import { type Server, startServer } from "./server.js";

/** Starts a lighttpd with mod_proxy and these lines. */
export function startLighttpd(lines: string): Promise<Server> {
  return startServer({
    program: "lighttpd",
    configuration: (port, folder) => configuration(port, folder, lines),
    args: (file) => ["-D", "-f", file],
  });
}

function configuration(port: number, folder: string, lines: string): string {
  return `
    server.modules = ( "mod_proxy" )
    server.document-root = "${folder}"
    server.upload-dirs = ( "${folder}" )
    server.bind = "127.0.0.1"
    server.port = ${port}
    ${lines}
  `;
}
