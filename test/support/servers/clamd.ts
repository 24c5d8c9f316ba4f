import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Server, startServer } from "./server.js";

/** Starts ClamAV's daemon, which finds what contains a text and nothing else. */
export function startClamd(virus: { name: string; text: string }): Promise<Server> {
  return startServer({
    program: "clamd",
    configuration(port, folder) {
      const database = join(folder, "database");
      mkdirSync(database);
      writeFileSync(join(database, "test.ndb"), `${virus.name}:0:*:${Buffer.from(virus.text).toString("hex")}\n`);
      return `
        Foreground yes
        TCPAddr 127.0.0.1
        TCPSocket ${port}
        DatabaseDirectory ${database}
        TemporaryDirectory ${folder}
        StreamMaxLength 10M
      `.replace(/^ +/gm, "");
    },
    args: (file) => ["--config-file", file],
  });
}
