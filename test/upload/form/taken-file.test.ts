import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import multer from "@koa/multer";
import type { Context } from "koa";
import { koaBody } from "koa-body";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeAttachEvent,
  formErrors,
  formidableOptions,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  StorageError,
  UploadError,
} from "typeorm-private-files";
import { type Application, startApplication } from "../../support/application.js";
import { after, before, describe, it } from "../../support/suite.js";
import { CONTENT_TYPE, file, form } from "./form-body.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) digest!: string | null;
  @PrivateFileColumn({ nullable: true }) plain!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ nullable: true, maxSize: 1000, accept: [".txt"], fields: { sha256: "digest" } })
  ruled!: PrivateFile | null;
}

@Entity()
class Watched {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) watched!: PrivateFile | null;
}

let isRefused = false;

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Watched> {
  listenTo() {
    return Watched;
  }
  beforeAttach(_event: BeforeAttachEvent<Watched>) {
    if (isRefused) throw new UploadError("type", "Scanner: infected. Clean it.");
  }
}

let application: Application;
let incoming: string;
/** The inode of the temporary file of the last form. */
let inode: number;

before(async () => {
  application = await startApplication({
    entities: [Letter, Watched],
    subscribers: [Watcher],
    before(app) {
      app.silent = true;
      app.use(formErrors());
      app.use((ctx, next) => {
        if (ctx.method !== "POST") return next();
        const [, parser, property] = ctx.path.split("/") as [string, string, "plain"];
        return parsers()[parser]!(ctx as never, () => attach(ctx, property));
      });
    },
  });
  incoming = join(application.storage.root, "..", "incoming");
  await mkdir(incoming);
});
after(() => application.close());

async function attach(ctx: Context, property: "plain"): Promise<void> {
  const [name] = await readdir(incoming);
  inode = (await stat(join(incoming, name!))).ino;
  const entity = property === ("watched" as string) ? new Watched() : new Letter();
  const source = (ctx as { file?: unknown }).file ?? (ctx.request.files as { file?: unknown } | undefined)?.file;
  const { key } = await application.files.attach(entity as Letter, property, source as never);
  ctx.body = { key, digest: (entity as Letter).digest, inode: (await stat(application.storage.path(key))).ino };
}

function parsers(): Record<string, (ctx: Context, next: () => Promise<void>) => unknown> {
  return {
    "koa-body": koaBody({ multipart: true, formidable: formidableOptions({ uploadDir: incoming }) }),
    multer: multer({ storage: multerStorage({ directory: incoming }) }).single("file") as never,
  };
}

async function send(path: string, name: string, bytes: Buffer) {
  const { port } = application;
  const body = form(file("file", bytes, name));
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "Content-Type": CONTENT_TYPE },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of application.storage.list("")) found.push(key);
  return found;
}

const BYTES = Buffer.from("a letter\n");

for (const parser of ["koa-body", "multer"]) {
  describe(`A temporary file of ${parser} on the storage's own file system`, () => {
    for (const property of ["plain", "ruled", "watched"]) {
      it(`becomes the object of a ${property} column without being copied`, async () => {
        const { status, text } = await send(`/${parser}/${property}`, "a.txt", BYTES);
        assert.equal(status, 200, text);
        const attached = JSON.parse(text);
        assert.equal(attached.inode, inode);
        if (property === "ruled") assert.equal(attached.digest, createHash("sha256").update(BYTES).digest("hex"));
        assert.deepEqual(await readdir(incoming), []);
        await application.storage.delete(attached.key);
      });
    }

    it("is gone when the upload is refused", async (t) => {
      isRefused = true;
      t.after(() => {
        isRefused = false;
      });
      assert.equal((await send(`/${parser}/watched`, "a.txt", BYTES)).status, 415);
      assert.equal((await send(`/${parser}/ruled`, "a.html", BYTES)).status, 415);
      assert.equal((await send(`/${parser}/ruled`, "a.txt", Buffer.alloc(1001, "x"))).status, 413);
      assert.deepEqual([await readdir(incoming), await keys()], [[], []]);
      assert.deepEqual(await readdir(join(application.storage.root, ".incomplete")), []);
    });

    it("is gone when it was taken over and can't be read", async (t) => {
      const stageFile = application.storage.stageFile.bind(application.storage);
      t.mock.method(application.storage, "stageFile", async (path: string) => {
        const staged = (await stageFile(path))!;
        t.mock.method(staged, "read", () => Promise.reject(new StorageError("x: too many files are open. Wait.", "x")));
        return staged;
      });
      assert.equal((await send(`/${parser}/ruled`, "a.txt", BYTES)).status, 500);
      assert.deepEqual([await readdir(incoming), await keys()], [[], []]);
      assert.deepEqual(await readdir(join(application.storage.root, ".incomplete")), []);
    });
  });
}
