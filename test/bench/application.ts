// The measured application. Its arguments: the kind of database, its folder, the folder of the files, the number of other rows, the
// number of private columns in all.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Router from "@koa/router";
import Koa from "koa";
import { DiskStorage, fromPath, PrivateFiles } from "typeorm-private-files";
import { type DatabaseName, openDatabase } from "./databases.js";
import { files as benchFiles } from "./files.js";
import { otherEntities } from "./other-entities.js";

type Arguments = [database: DatabaseName, folder: string, source: string, others: string, columns: string];

const [database, folder, source, others, columns] = process.argv.slice(2) as Arguments;
// TypeORM keeps entities in the order of their declarations. The requested one is the last.
const unasked = otherEntities(Number(columns) - 1);
const { Document, DownloadCounter, insertOthers, saveDocument } = await import("./document.js");
const model = { entities: [...unasked, Document], subscribers: [DownloadCounter] };
const { dataSource, close } = await openDatabase(database, folder, model);
// The benchmark has ended, or was interrupted at the terminal: either way the database is dropped.
process.on("SIGINT", () => {});
process.on("disconnect", async () => {
  await close();
  process.exit();
});
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) });
await insertOthers(dataSource, Number(others));
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
  // Requests for files pass this router too, so that they don't look dearer than they are beside it.
  app.use(constant.routes()).use(files.routes());
  return app.listen(0, "127.0.0.1");
}
