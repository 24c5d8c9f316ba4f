import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import type { Context } from "koa";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeAttachEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  type UploadSource,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { cutMany, descriptors } from "../support/cut-requests.js";
import { eventually } from "../support/eventually.js";
import { memoryInUse } from "../support/garbage.js";
import { all } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) type!: string | null;
  @Column({ nullable: true, type: String }) digest!: string | null;
  @PrivateFileColumn({ nullable: true }) plain!: PrivateFile | null;
  @PrivateFileColumn<Scan>({ nullable: true, maxSize: 1e6, fields: { type: "type", sha256: "digest" } })
  ruled!: PrivateFile | null;
}

@Entity()
class Watched {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) watched!: PrivateFile | null;
}

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Watched> {
  listenTo() {
    return Watched;
  }
  async beforeAttach({ open }: BeforeAttachEvent<Watched>) {
    (await open()).read();
  }
}

/** What a route gives to `attach`. */
const SOURCES: Record<string, (ctx: Context) => UploadSource> = {
  "the request": (ctx) => ctx.req,
  "a web stream of the request": (ctx) => Readable.toWeb(ctx.req) as never,
  "an async iterable of the request": (ctx) => bytesOf(ctx.req),
  // It is not told that the request was cut.
  "a stream that the request is piped into": (ctx) => ctx.req.pipe(createGunzip()),
};

async function* bytesOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) yield chunk;
}

let application: Application;
let source: (ctx: Context) => UploadSource;
before(async () => {
  application = await startApplication({
    entities: [Scan, Watched],
    subscribers: [Watcher],
    before(app) {
      app.silent = true;
      app.use(async (ctx, next) => {
        if (ctx.method !== "PUT") return next();
        const property = ctx.path.slice(1) as "plain";
        const entity = property === ("watched" as string) ? new Watched() : new Scan();
        const { key } = await application.files.attach(entity as Scan, property, source(ctx), { stallTimeout: 2 });
        await application.storage.delete(key);
        ctx.status = 204;
      });
    },
  });
});
after(() => application.close());

async function nothingIsLeft(atRest: number): Promise<void> {
  await eventually(async () => {
    const entries = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      entries.filter((entry) => entry.isFile()).map(({ name }) => name),
      [],
    );
    assert.ok(descriptors() <= atRest, `${descriptors()} descriptors, ${atRest} at rest`);
  });
}

describe("Raw bodies that are cut at any byte", () => {
  const content = gzipSync(Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * index) % 251)), {
    level: 0,
  });
  for (const property of ["plain", "ruled", "watched"]) {
    for (const [what, open] of Object.entries(SOURCES)) {
      const count = all && (property === "plain" || what === "the request") ? 1000 : 100;
      it(`leave no file, no descriptor and no memory behind, ${count} times: ${what}, ${property}`, async () => {
        source = open;
        const head = `PUT /${property} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${content.length}\r\n\r\n`;
        const url = `http://127.0.0.1:${application.port}/${property}`;
        const put = () => fetch(url, { method: "PUT", body: content, headers: { Connection: "close" } });
        assert.equal((await put()).status, 204);
        const request = { head, body: content };
        await cutMany(application.port, request, 50);
        await eventually(() => assert.equal(application.errors.length > 0, true));
        const atRest = descriptors();
        application.errors.length = 0;
        const before = memoryInUse();
        await cutMany(application.port, request, count);
        await eventually(() => {
          application.errors.length = 0;
          const after = memoryInUse();
          assert.ok(after < before * 1.1, `${after} bytes in use, ${before} before`);
        });
        await nothingIsLeft(atRest);
        assert.equal((await put()).status, 204);
      });
    }
  }
});
