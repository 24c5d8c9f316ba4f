// The measured application, a process of its own. Its arguments: the kind of database, a folder for itself, that of the files.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Router from "@koa/router";
import Koa from "koa";
import { DiskStorage, fromPath, PrivateFiles } from "typeorm-private-files";
import { model, saveDocument, saveOthers } from "./document.js";
import { files as benchFiles } from "./files.js";
import { type DatabaseName, openDatabase } from "./open-database.js";

const [database, folder, source] = process.argv.slice(2) as [DatabaseName, string, string];
const { dataSource, close } = await openDatabase(database, folder, model);
// Whoever started it wants it to end, or is gone. What a terminal interrupts ends in the same way: the database is dropped.
process.on("SIGINT", () => {});
process.on("disconnect", async () => {
  await close();
  process.exit();
});
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) });
await saveOthers(files);
const paths: Record<string, string> = {};
for (const { label, name } of benchFiles) {
  paths[label] = await saveDocument(files, label, fromPath(join(source, name)));
}
const server = serve();
await once(server, "listening");
process.send!({ port: (server.address() as AddressInfo).port, paths });

function serve(): Server {
  const app = new Koa();
  app.use((ctx, next) => {
    const name = ctx.get("x-user");
    if (name) ctx.state.user = { name };
    return next();
  });
  const constant = new Router().get("/constant", (ctx) => {
    ctx.body = "constant";
  });
  // Before the files: their requests pass it too, so that it is not made to look dearer than it is.
  app.use(constant.routes()).use(files.routes());
  return app.listen(0, "127.0.0.1");
}
