import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import multer from "@koa/multer";
import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  formErrors,
  formidableOptions,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  UploadError,
  type UploadSource,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { after, before, describe, it } from "../support/suite.js";

const MOST = 300_000;
const CONTENTS = {
  png: Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x04\0\0\0\xb5\x1c\x0c\x02", "latin1"),
  pdf: Buffer.from("%PDF-1.4\n1 0 obj\n<<>>\nstream\n\0\x01\nendstream\nendobj\n%%EOF\n"),
  html: Buffer.from("<!doctype html><script>alert(1)</script>"),
};
const TYPES = { png: "image/png", pdf: "application/pdf", html: "text/html" };
type Kind = keyof typeof CONTENTS;

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: "integer" }) size!: number | null;
  @Column({ nullable: true, type: String }) type!: string | null;
  @Column({ nullable: true, type: String }) sha256!: string | null;
  @PrivateFileColumn<Scan>({
    nullable: true,
    condition: () => true,
    maxSize: MOST,
    fields: { size: "size", type: "type", sha256: "sha256" },
  })
  file!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, accept: ["image/*", "application/pdf", ".html"] }) picture!: PrivateFile | null;
}

let application: Application;
/** Where the temporary files of the form parsers are. */
let incoming: string;
before(async () => {
  application = await startApplication({
    entities: [Scan],
    before(app) {
      app.use(formErrors());
      app.use((ctx, next) => {
        const [, parser, property] = ctx.path.split("/") as [string, string, "file"];
        return ctx.method === "POST" ? parsers()[parser]!(ctx, () => save(ctx, property)) : next();
      });
    },
  });
  incoming = join(dirname(application.storage.root), "incoming");
  await mkdir(incoming);
});
after(() => application.close());

const PARSERS = ["koa-body", "multer", "multer-memory"];

function parsers(): Record<string, Middleware> {
  return {
    "koa-body": koaBody({ multipart: true, formidable: formidableOptions({ uploadDir: incoming }) }),
    multer: multer({ storage: multerStorage({ directory: incoming }) }).single("file") as never,
    "multer-memory": multer({ storage: multer.memoryStorage() }).single("file") as never,
  };
}

/** Takes over whatever the form says, as a careless application does. */
async function save(ctx: Context, property: "file"): Promise<void> {
  const { dataSource, files } = application;
  const { file, ...fields } = (ctx.request as { body?: object }).body as { file?: unknown };
  const scan = Object.assign(new Scan(), fields);
  const source = (ctx as { file?: unknown }).file ?? (ctx.request.files as { file?: unknown } | undefined)?.file;
  await files.attach(scan, property, source as UploadSource);
  await dataSource.manager.save(scan);
  ctx.body = { url: files.url(scan, property), id: scan.id };
}

function formWith(content: Buffer, name: string, type: string, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append("file", new File([content], name, { type }));
  return form;
}

function post(path: string, body: FormData): Promise<Response> {
  return fetch(`http://127.0.0.1:${application.port}${path}`, { method: "POST", body });
}

async function storedFiles(): Promise<number> {
  const entries = await readdir(dirname(application.storage.root), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

describe("A size that is a lie", () => {
  /** A source that says another size than the bytes that it counts out. */
  function lying(size: number, length: number): { blob: Blob; read: () => number } {
    let read = 0;
    const body = new ReadableStream({
      pull(controller) {
        read += 16_384;
        controller.enqueue(new Uint8Array(16_384));
        if (read >= length) controller.close();
      },
    });
    const blob = Object.defineProperty(new Blob([]), "size", { value: size });
    return { blob: Object.assign(blob, { stream: () => body as never }), read: () => read };
  }

  for (const [what, size, reason] of [
    ["too small is found out by the byte after it", 10, "length"],
    ["just small enough is found out by the byte after it", MOST, "too-large"],
    ["too large is refused before a byte is read", MOST + 1, "too-large"],
  ] as const) {
    it(what, async () => {
      const { blob, read } = lying(size, 1e9);
      const before = await storedFiles();
      await assert.rejects(application.files.attach(new Scan(), "file", blob), (error: UploadError) => {
        assert.ok(error instanceof UploadError, String(error));
        assert.equal(error.reason, reason);
        return true;
      });
      assert.ok(read() <= Math.min(size, MOST) + 65_536, `${read()} bytes were read`);
      assert.equal(await storedFiles(), before);
    });
  }

  it("of a form parser does not let a larger file through", async () => {
    const filepath = join(incoming, "lying");
    await writeFile(filepath, Buffer.alloc(MOST + 1));
    const file = Object.assign(new EventEmitter(), { filepath, originalFilename: "a", size: 1, toJSON: () => ({}) });
    const attaching = application.files.attach(new Scan(), "file", file);
    await assert.rejects(attaching, (error: UploadError) => error instanceof UploadError && error.status! < 500);
    assert.deepEqual(await readdir(incoming), []);
  });
});

describe("A media type that the client declares", () => {
  const kinds = Object.keys(CONTENTS) as Kind[];
  const orders = kinds.flatMap((bytes) =>
    kinds.flatMap((name) => kinds.map((declared): [Kind, Kind, Kind] => [bytes, name, declared])),
  );
  for (const [bytes, name, declared] of orders.filter((kinds) => new Set(kinds).size === 3)) {
    it(`changes nothing: ${bytes} by the name of ${name} and the type of ${declared} is refused`, async () => {
      const before = await storedFiles();
      for (const parser of PARSERS) {
        const form = formWith(CONTENTS[bytes], `a.${name}`, TYPES[declared]);
        assert.equal((await post(`/${parser}/picture`, form)).status, 415, parser);
      }
      assert.equal(await storedFiles(), before);
      const options = { filename: `a.${name}`, type: TYPES[declared] };
      const source = Readable.from([CONTENTS[bytes]], { objectMode: false });
      await assert.rejects(application.files.attach(new Scan(), "picture", source, options), { reason: "type" });
    });
  }
});

describe("What a form says of its file", () => {
  for (const [field, value] of Object.entries({ size: "1", sha256: "0".repeat(64), identified: "true" })) {
    it(`is not believed, though the application puts it into the entity: ${field}`, async () => {
      const content = CONTENTS.html;
      for (const parser of PARSERS) {
        const fields = { [field]: value, type: "image/png" };
        const answer = await post(`/${parser}/file`, formWith(content, "a.html", "image/png", fields));
        const { id, url } = (await answer.json()) as { id: number; url: string };
        const saved = await application.dataSource.manager.findOneByOrFail(Scan, { id });
        const digest = createHash("sha256").update(content).digest("hex");
        assert.deepEqual([saved.size, saved.type, saved.sha256], [content.length, "text/html", digest], parser);
        const { headers, body } = await application.get(url);
        assert.doesNotMatch(headers["content-type"]!, /^image/);
        assert.match(headers["content-disposition"]!, /^attachment/);
        assert.ok(body.equals(content));
      }
    });
  }
});
