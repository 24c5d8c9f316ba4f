import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import dataSource, { files, filesRoot } from "../../../ormconfig.js";
import { everyone, prepareDatabase } from "./people.js";
import { createSite } from "./site.js";

const { HOST: host = "127.0.0.1", PORT = "3000" } = process.env;

await dataSource
  .initialize()
  .catch((error) => giveUp(`The database does not open: ${error.message}. DATABASE_URL says which.`));
await prepareDatabase(dataSource);
// Without a secret of your own everyone is signed out when the site starts again.
const sessionSecret = process.env.SESSION_SECRET || randomBytes(32).toString("hex");
const site = createSite(files, { sessionSecret });
const server = site.listen(Number(PORT), host);
// Node ends a request after five minutes; 5 GB over a line of 2 Mbit/s take six hours.
server.requestTimeout = 6 * 60 * 60 * 1000;
await once(server, "listening").catch(cannotListen);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(server));
await sayWhereToLook(server.address() as AddressInfo);

async function sayWhereToLook({ address, family, port }: AddressInfo): Promise<void> {
  const names = (await everyone(dataSource)).map(({ name }) => name);
  console.log(`The example site is at http://${family === "IPv6" ? `[${address}]` : address}:${port}/`);
  console.log(
    `Sign in as ${new Intl.ListFormat("en", { type: "disjunction" }).format(names)}. There are no passwords.`,
  );
  console.log(`Database: ${dataSource.options.type}. Files: ${filesRoot}. Stop with Ctrl+C.`);
}

function cannotListen(error: NodeJS.ErrnoException): never {
  giveUp(error.code === "EADDRINUSE" ? `Port ${PORT} is taken. Choose another: PORT=3001 npm start` : error.message);
}

function giveUp(reason: string): never {
  console.error(reason);
  process.exit(1);
}

/** Lets what is under way finish, for ten seconds at most. */
function stop(running: Server): void {
  console.log("Stopping.");
  setTimeout(() => running.closeAllConnections(), 10_000).unref();
  running.close(() => dataSource.destroy());
}
