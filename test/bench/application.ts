// The measured application, as a process of its own. Its arguments are the kind of database, a folder for itself, and that of the files.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Router from "@koa/router";
import Koa from "koa";
import type { DataSource } from "typeorm";
import { DiskStorage, fromPath, PrivateFiles } from "typeorm-private-files";
import { Document, DownloadCounter } from "./document.js";
import { files as benchFiles } from "./files.js";
import { type DatabaseName, openDatabase } from "./open-database.js";

/** How many rows there are beside those of the files. */
const OTHER_ROWS = 100;

const [database, folder, source] = process.argv.slice(2) as [DatabaseName, string, string];
const model = { entities: [Document], subscribers: [DownloadCounter] };
const { dataSource, close } = await openDatabase(database, folder, model);
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) });
const paths = await fill(dataSource);
const server = listen();
await once(server, "listening");
// Whoever started it wants it to end, or is gone.
process.on("disconnect", async () => {
  await close();
  process.exit();
});
process.send!({ port: (server.address() as AddressInfo).port, paths });

/** Saves a document for each file, and others. */
async function fill({ manager }: DataSource): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let row = 0; row < OTHER_ROWS; row++) await save(`Other ${row}`, Buffer.from(`${row}`), "other.txt");
  for (const { label, name } of benchFiles) {
    found[label] = files.url(await save(label, fromPath(join(source, name)), name), "file");
  }
  return found;

  async function save(title: string, content: Parameters<typeof files.attach>[2], filename: string) {
    const document = manager.create(Document, { title, owner: "alice" });
    await files.attach(document, "file", content, { filename });
    return manager.save(document);
  }
}

function listen() {
  const constant = new Router().get("/constant", (ctx) => {
    ctx.body = "constant";
  });
  const app = new Koa();
  app.use((ctx, next) => {
    const name = ctx.get("x-user");
    if (name) ctx.state.user = { name };
    return next();
  });
  app.use(constant.routes()).use(files.routes());
  return app.listen(0, "127.0.0.1");
}
