import { createServer } from "node:http";
// A small heap is collected more often for the same work, so all servers load what the application loads.
import "typeorm";

/** The folder of the files. */
export const root = process.argv[2];

/** Serves with plain node:http on a free port of loopback, and sends the port to the parent process. */
export function serve(handler) {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("disconnect", () => process.exit());
}
