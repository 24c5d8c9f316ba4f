import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import Koa from "koa";
import { Column, DataSource, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type Delivery,
  DiskStorage,
  type OpenObject,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  PrivateFiles,
  type StoredObject,
  streamDelivery,
} from "typeorm-private-files";
import { type Case, PLACES, run, SIZE } from "./odd-code.js";

// An application of its own process, whose functions do what the request says. It listens to no error, and ends with the first that
// nobody handles.

let current: Case | undefined;

/** What the function at a place of the application does: what the case says, or what it should. */
function at<T>(place: (typeof PLACES)[number], usual: () => T): T {
  return current?.place === place ? (run(current) as T) : usual();
}

const delivery: Delivery = { deliver: (download) => at("deliver", () => streamDelivery().deliver(download)) };

@Entity()
class Plain {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

@Entity()
class Odd {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 1 }) level!: number;
  @PrivateFileColumn<Odd>({
    uploadTo: (_odd, name) => at("uploadTo", () => name),
    condition: () => at("condition", () => true),
    where: () => at("where", () => ({ level: 1 })),
    filename: () => at("filename", () => "odd.bin"),
    delivery,
  })
  file!: PrivateFile;
}

@EventSubscriber()
class Told implements PrivateFileSubscriber {
  listenTo() {
    return Odd;
  }
  beforeDownload() {
    return at("beforeDownload", () => {}) as never;
  }
  afterDownload() {
    return at("afterDownload", () => {}) as never;
  }
  downloadDenied() {
    return at("downloadDenied", () => {}) as never;
  }
}

/** A storage that opens objects, and whose objects read into the memory of the download. */
class OddStorage extends DiskStorage {
  override stat(key: string) {
    return at("stat", () => super.stat(key).then((object) => object && described(object)));
  }
  override async open(key: string): Promise<OpenObject | undefined> {
    const object = await super.open(key);
    if (current?.place === "open") await object?.close();
    return at("open", async () => object && { ...described(object), ...methods(object) });
  }
}

/** A storage that can only stream its objects. */
class StreamingStorage extends OddStorage {
  override open = undefined as never;
  override read(...[key, options]: Parameters<DiskStorage["read"]>) {
    if (current?.place === "chunk") return Promise.resolve(Readable.from([at("chunk", () => Buffer.alloc(1))]));
    return at("stream", () => super.read(key, options));
  }
}

function described({ size, modifiedAt, etag }: StoredObject): StoredObject {
  return {
    size: at("size", () => size),
    modifiedAt: at("modifiedAt", () => modifiedAt),
    etag: at("etag", () => etag),
  };
}

function methods(object: OpenObject): Pick<OpenObject, "read" | "close"> {
  return {
    read: (buffer, position) => at("read", () => object.read(buffer, position)),
    async close() {
      await object.close();
      await at("close", () => {});
    },
  };
}

const folder = await mkdtemp(join(tmpdir(), "private-files-"));
const dataSource = new DataSource({ type: "sqljs", entities: [Plain, Odd], subscribers: [Told], synchronize: true });
await dataSource.initialize();
const plain = new PrivateFiles(dataSource, { storage: new DiskStorage(folder), prefix: "/plain" });
const opening = new PrivateFiles(dataSource, { storage: new OddStorage(folder), prefix: "/open", timeout: 0.2 });
const streaming = new PrivateFiles(dataSource, {
  storage: new StreamingStorage(folder),
  prefix: "/stream",
  timeout: 0.2,
});

const app = new Koa();
app.use(async (ctx, next) => {
  const asked = ctx.get("x-case");
  current = asked ? JSON.parse(asked) : undefined;
  await next();
});
app.use(plain.routes());
app.use(opening.routes());
app.use(streaming.routes());
app.use(async (ctx) => {
  const entity = dataSource.manager.create(Odd, {});
  await opening.attach(entity, "file", Buffer.from("x"), { filename: "x.bin" });
  ctx.body = "attached";
});

const urls: Record<string, string> = {};
for (const [name, byte] of Object.entries({ A: 65, B: 66 })) {
  const entity = dataSource.manager.create(name === "A" ? Plain : Odd, {});
  await plain.attach(entity as Plain, "file", Buffer.alloc(SIZE, byte), { filename: "odd.bin" });
  await dataSource.manager.save(entity);
  for (const files of name === "A" ? [plain] : [opening, streaming]) {
    const url = files.url(entity as Plain, "file");
    urls[url.split("/")[1]!] = url;
  }
}
const server = app.listen(0, "127.0.0.1", () => {
  process.send!({ port: (server.address() as AddressInfo).port, urls });
});
process.once("disconnect", async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
  process.exit();
});
