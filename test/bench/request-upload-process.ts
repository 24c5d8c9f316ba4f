// Receives raw bodies. Its arguments: its folder, and how. A PUT answers with the path for the DELETE.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, open, unlink } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import Koa from "koa";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { DiskStorage, PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { openDatabase } from "./databases.js";
import type { Listening, Receiver } from "./request-uploads.js";

@Entity()
class Received {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) type!: string | null;
  @Column({ nullable: true, type: String }) digest!: string | null;
  @PrivateFileColumn({ nullable: true }) plain!: PrivateFile | null;
  @PrivateFileColumn<Received>({ nullable: true, fields: { type: "type", sha256: "digest" } })
  known!: PrivateFile | null;
}

const [folder, receiver] = process.argv.slice(2) as [string, Receiver];
const { dataSource, close } = await openDatabase("SQLite", folder, { entities: [Received] });
const storage = new DiskStorage(join(folder, "files"));
const files = new PrivateFiles(dataSource, { storage });
await mkdir(join(folder, "piped"));
let piped = 0;

const app = new Koa();
app.use(async (ctx) => {
  if (ctx.method === "DELETE") {
    await (receiver === "pipe" ? unlink(join(folder, "piped", ctx.path)) : storage.delete(ctx.path.slice(1)));
    ctx.status = 204;
    return;
  }
  ctx.set("Location", `/${await receive(ctx.req)}`);
  ctx.status = 201;
});
const server = app.listen(0, "127.0.0.1");
server.requestTimeout = 0;
await once(server, "listening");
process.send!({ port: (server.address() as AddressInfo).port } satisfies Listening);
process.once("disconnect", async () => {
  server.close();
  server.closeAllConnections();
  await close();
});

async function receive(body: IncomingMessage): Promise<string> {
  if (receiver === "pipe") return pipe(body);
  const property = receiver === "attach" ? "plain" : "known";
  const { key } = await files.attach(new Received(), property, body, { filename: "upload.bin" });
  return key;
}

async function pipe(body: IncomingMessage): Promise<string> {
  const name = `${piped++}`;
  const path = join(folder, "piped", name);
  await pipeline(body, createWriteStream(path, { flags: "wx" }));
  const file = await open(path);
  await file.sync();
  await file.close();
  return name;
}
