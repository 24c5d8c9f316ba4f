// Receives files. Its arguments: its folder, and how. A PUT answers with the path for the DELETE.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, open, unlink } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import multer from "@koa/multer";
import Koa, { type Context } from "koa";
import { koaBody } from "koa-body";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  DiskStorage,
  formidableOptions,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  type UploadSource,
} from "typeorm-private-files";
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
for (const name of ["piped", "incoming"]) await mkdir(join(folder, name));
let piped = 0;
const incoming = join(folder, "incoming");
const parseByMulter = multer({ storage: multerStorage({ directory: incoming }) }).single("file");
const parseByFormidable = koaBody({
  multipart: true,
  parsedMethods: ["PUT"] as never,
  formidable: formidableOptions({ uploadDir: incoming, maxFileSize: 2 ** 32, maxTotalFileSize: 2 ** 32 }),
});

const app = new Koa();
app.use(async (ctx) => {
  if (ctx.method === "DELETE") {
    await (receiver === "pipe" ? unlink(join(folder, "piped", ctx.path)) : storage.delete(ctx.path.slice(1)));
    ctx.status = 204;
    return;
  }
  const cpu = process.cpuUsage();
  const began = performance.now();
  const received = await receive(ctx);
  const time = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  ctx.set({ "X-CPU": `${(user + system) / 1e6}`, "X-Time": `${time / 1000}` });
  // What is not saved is deleted with the response. That is left out: the same is done for all.
  if (received instanceof Received) await dataSource.manager.save(received);
  ctx.set("Location", `/${received instanceof Received ? (received.plain ?? received.known)!.key : received}`);
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

async function receive(ctx: Context): Promise<Received | string> {
  if (receiver === "pipe") return pipe(ctx.req);
  const received = new Received();
  const property = receiver.endsWith("with type and digest") ? "known" : "plain";
  if (receiver.startsWith("receive")) {
    await files.receive(ctx, { file: [received, property] }, { fileSize: 2 ** 32 });
  } else {
    await files.attach(received, property, await sourceOf(ctx), { filename: "upload.bin" });
  }
  return received;
}

async function sourceOf(ctx: Context): Promise<UploadSource> {
  if (receiver === "@koa/multer and attach") {
    await parseByMulter(ctx as never, async () => {});
    return (ctx as unknown as { file: UploadSource }).file;
  }
  if (receiver !== "koa-body and attach") return ctx.req;
  await parseByFormidable(ctx as never, async () => {});
  return (ctx.request.files as unknown as { file: UploadSource }).file;
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
