import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import Koa, { type Middleware } from "koa";
import { kinds } from "./kinds.js";
import type { SiteFile } from "./site.js";

// The program of a subject's process: one kind of site, told by its parent which files there are.

const [name, root = "", large = ""] = process.argv.slice(2);
const site = await kinds.find((kind) => kind.name === name)!.start({ root, large });

const orders = {
  register: (file: SiteFile): Promise<unknown> => site.register(file),
  serveWithoutRoot: async (): Promise<unknown> => listen([site.serveWithoutRoot()]),
};

process.on("message", ({ id, order, file }: { id: number; order: keyof typeof orders; file: SiteFile }) => {
  orders[order](file).then(
    (result) => process.send!({ id, result }),
    (error: Error) => process.send!({ id, error: error.message }),
  );
});
// A process whose threads all wait for a FIFO can't exit in another way.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.send!({ port: await listen(site.middleware) });

async function listen(middleware: Middleware[]): Promise<number> {
  const app = new Koa();
  app.on("error", () => {});
  app.use(awaitAfterwards);
  for (const one of middleware) app.use(one);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** As a session or a log would. */
async function awaitAfterwards(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  await next();
  const milliseconds = Number(ctx.get("X-Await-Afterwards"));
  if (milliseconds > 0) await sleep(milliseconds);
}
