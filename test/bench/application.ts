// The measured application, a process of its own. Its arguments: the kind of database, a folder for itself, that of the files, how
// many rows there are that nobody asks for, how many private columns there are in all.
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Router from "@koa/router";
import Koa from "koa";
import { DiskStorage, fromPath, PrivateFiles } from "typeorm-private-files";
import { files as benchFiles } from "./files.js";
import { type DatabaseName, openDatabase } from "./open-database.js";
import { otherEntities } from "./other-entities.js";

type Arguments = [database: DatabaseName, folder: string, source: string, others: string, columns: string];

const [database, folder, source, others, columns] = process.argv.slice(2) as Arguments;
// TypeORM has entities in the order of their declarations. The one that is asked for is the last.
const unasked = otherEntities(Number(columns) - 1);
const { Document, DownloadCounter, insertOthers, saveDocument } = await import("./document.js");
const model = { entities: [...unasked, Document], subscribers: [DownloadCounter] };
const { dataSource, close } = await openDatabase(database, folder, model);
// Whoever started it wants it to end, or is gone. What a terminal interrupts ends in the same way: the database is dropped.
process.on("SIGINT", () => {});
process.on("disconnect", async () => {
  await close();
  process.exit();
});
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) });
await insertOthers(dataSource, Number(others));
const paths: Record<string, string> = {};
const there = await readdir(source);
for (const { label, name } of benchFiles.filter((file) => there.includes(file.name))) {
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
