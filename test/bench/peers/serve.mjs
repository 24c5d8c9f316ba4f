import { createServer } from "node:http";
// A process with a small heap collects garbage more often for the same work: all get what ours loads.
import "typeorm";

/** The folder of the files. */
export const root = process.argv[2];

/** Serves with plain node:http on a free port of loopback, and tells the parent process which. */
export function serve(handler) {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("disconnect", () => process.exit());
}
