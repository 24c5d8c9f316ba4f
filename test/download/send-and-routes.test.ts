import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AfterDownloadEvent,
  type BeforeDownloadEvent,
  type Delivery,
  type DownloadDeniedEvent,
  koaSendDelivery,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  StorageError,
  streamDelivery,
} from "typeorm-private-files";
import { type Answer, type Application, type Ask, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { MemoryStorage } from "../support/memory-storage.js";

/** What somebody's code does while a request is answered. */
let code: { condition?: () => unknown; hook?: () => unknown; cacheControl?: () => string; filename?: () => string };

@Entity()
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Paper>({
    uploadTo: "papers",
    nullable: true,
    condition: () => (code.condition?.() ?? true) as boolean,
    filename: (paper) => code.filename?.() ?? `Paper ${paper.id}.pdf`,
    cacheControl: (paper) => code.cacheControl?.() ?? `private, max-age=${paper.id}`,
  })
  file!: PrivateFile | null;
  @PrivateFileColumn<Paper>({ nullable: true, condition: () => true, attachment: false }) shown!: PrivateFile | null;
}

const told: object[] = [];

@EventSubscriber()
class Listener implements PrivateFileSubscriber<Paper> {
  listenTo() {
    return Paper;
  }
  async beforeDownload({ entity, file, range, begins, propertyName }: BeforeDownloadEvent<Paper>) {
    told.push({ hook: "beforeDownload", id: entity.id, file, range, begins, propertyName });
    await code.hook?.();
  }
  afterDownload({ entity, bytesSent, aborted, propertyName }: AfterDownloadEvent<Paper>) {
    told.push({ hook: "afterDownload", id: entity.id, bytesSent, aborted, propertyName });
  }
  downloadDenied({ entity, step, status, propertyName }: DownloadDeniedEvent<Paper>) {
    told.push({ hook: "downloadDenied", id: entity?.id, step, status, propertyName });
  }
}

const deliveries: [string, () => Delivery][] = [
  ["streamDelivery", streamDelivery],
  ["koaSendDelivery", () => koaSendDelivery({ setHeaders: (res) => res.setHeader("X-Sent-By", "koa-send") })],
];
const small = Buffer.from("0123456789a");
const large = Buffer.alloc(700_000, "a large file. ");
const past = "Wed, 25 Jun 2014 17:12:17 GMT";

beforeEach(() => {
  code = {};
});

for (const [name, delivery] of deliveries) {
  describe(`send and the routes with ${name}`, () => {
    let application: Application;

    before(async () => {
      application = await start({ delivery: delivery() });
    });
    after(() => application.close());

    /** What is asked, the status, and how many of the hooks are called. */
    const rows: [string, (etag: string) => Ask, number, string[]][] = [
      ["a GET", () => ({}), 200, ["beforeDownload", "afterDownload"]],
      ["a HEAD", () => ({ method: "HEAD" }), 200, []],
      ["a Range", () => headers({ Range: "bytes=2-8" }), 206, ["beforeDownload", "afterDownload"]],
      ["a Range of the last bytes", () => headers({ Range: "bytes=-5" }), 206, ["beforeDownload", "afterDownload"]],
      ["several ranges", () => headers({ Range: "bytes=0-1,5-6,-1" }), 206, ["beforeDownload", "afterDownload"]],
      ["a malformed Range", () => headers({ Range: "bytes=a-b" }), 200, ["beforeDownload", "afterDownload"]],
      ["a Range behind the end", () => headers({ Range: "bytes=9999999-" }), 416, []],
      ["a HEAD with a Range", () => ({ method: "HEAD", ...headers({ Range: "bytes=2-8" }) }), 200, []],
      ["an If-None-Match that is met", (etag) => headers({ "If-None-Match": etag }), 304, []],
      ["a HEAD of it", (etag) => ({ method: "HEAD", ...headers({ "If-None-Match": etag }) }), 304, []],
      ["an If-Modified-Since that is met", () => headers({ "If-Modified-Since": new Date().toUTCString() }), 304, []],
      ["an If-Match that fails", () => headers({ "If-Match": '"x"' }), 412, []],
      ["an If-Unmodified-Since that fails", () => headers({ "If-Unmodified-Since": past }), 412, []],
      [
        "an If-Range that holds",
        (etag) => headers({ Range: "bytes=2-8", "If-Range": etag }),
        206,
        ["beforeDownload", "afterDownload"],
      ],
      [
        "an If-Range that does not hold",
        () => headers({ Range: "bytes=2-8", "If-Range": '"x"' }),
        200,
        ["beforeDownload", "afterDownload"],
      ],
      ["a POST", () => ({ method: "POST" }), 405, []],
      ["a DELETE", () => ({ method: "DELETE" }), 405, []],
      ["an OPTIONS", () => ({ method: "OPTIONS" }), 405, []],
    ];
    for (const [what, askWith, status, hooks] of rows) {
      it(`answer ${status} to ${what}, byte for byte alike, and call the same hooks`, async () => {
        for (const [property, content] of [
          ["file", small],
          ["file", large],
          ["shown", large],
        ] as const) {
          const addresses = await write(application, property, content);
          const etag = (await application.get(addresses[0], { method: "HEAD" })).headers.etag!;
          const answer = await assertAlike(application, addresses, askWith(etag), hooks);
          assert.equal(answer.status, status);
          if (status !== 200 || askWith(etag).method === "HEAD") continue;
          assert.ok(answer.body.equals(content));
          assert.equal(answer.headers["x-sent-by"], name === "koaSendDelivery" ? "koa-send" : undefined);
        }
      });
    }

    const refusals: [string, number, () => void][] = [
      ["a condition that is not true", 403, () => Object.assign(code, { condition: () => "yes" })],
      ["a condition that throws", 500, () => Object.assign(code, { condition: fails({ status: 404, expose: true }) })],
      ["a filename that throws", 500, () => Object.assign(code, { filename: fails() })],
      ["a cacheControl that throws", 500, () => Object.assign(code, { cacheControl: fails({ status: 404 }) })],
      ["a hook that throws", 500, () => Object.assign(code, { hook: fails() })],
      ["a hook that throws a status", 429, () => Object.assign(code, { hook: fails({ status: 429, expose: true }) })],
    ];
    for (const [what, status, arrange] of refusals) {
      it(`answer ${status} for ${what}, byte for byte alike, and call the same hooks`, async () => {
        const addresses = await write(application, "file", small);
        arrange();
        const denials = status === 403 ? ["downloadDenied"] : [];
        const hooks = what.startsWith("a hook") ? ["beforeDownload", "downloadDenied"] : denials;
        for (const headers of [{}, { Range: "bytes=0-1" }, { "If-None-Match": "*" }]) {
          if (what.startsWith("a hook") && "If-None-Match" in headers) continue;
          assert.equal((await assertAlike(application, addresses, { headers }, hooks)).status, status);
        }
      });
    }

    it("answer 404 where there is no file, or the storage does not have it, byte for byte alike", async () => {
      const [url, own] = await write(application, "file", small);
      const { manager } = application.dataSource;
      const paper = await manager.findOneByOrFail(Paper, { id: Number(own.split("/").at(-1)) });
      await rm(application.storage.path(paper.file!.key));
      const missing = await assertAlike(application, [url, own], {}, ["downloadDenied"]);
      paper.file = null;
      await manager.save(paper);
      const none = await assertAlike(application, [url, own], {}, ["downloadDenied"]);
      for (const { status, body } of [missing, none]) assert.deepEqual([status, body.toString()], [404, "Not Found"]);
    });

    it("answer alike over HTTP/2, a HEAD that is refused included", async (t) => {
      const addresses = await write(application, "file", small);
      const server = createServer(application.app.callback() as never).listen(0, "127.0.0.1");
      await once(server, "listening");
      const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      t.after(() => {
        client.close();
        server.close();
      });
      for (const condition of [() => true, () => false]) {
        code.condition = condition;
        for (const method of ["GET", "HEAD", "POST"]) {
          const [routes, own] = await Promise.all(addresses.map((path) => askOverHttp2(client, path, method)));
          assert.deepEqual(own, routes);
        }
      }
    });
  });
}

describe("send and the routes", () => {
  it("answer 404 in place of 403 with hideDenied, and the same as for a row without a file", async (t) => {
    const application = await start({ hideDenied: true });
    t.after(() => application.close());
    const addresses = await write(application, "file", small);
    code.condition = () => false;
    const denied = await assertAlike(application, addresses, {}, ["downloadDenied"]);
    await application.dataSource.manager.update(Paper, { id: 1 }, { file: null });
    const none = await assertAlike(application, addresses, {}, ["downloadDenied"]);
    assert.deepEqual([denied.status, comparable(denied)], [404, comparable(none)]);
  });

  it("answer 503 for a condition, a hook and a storage that never answer, alike", async (t) => {
    const application = await start({ timeout: 0.05 });
    t.after(() => application.close());
    const addresses = await write(application, "file", small);
    const never = () => new Promise<never>(() => {});
    code.condition = never;
    const byCondition = await assertAlike(application, addresses, {}, []);
    code = { hook: never };
    const byHook = await assertAlike(application, addresses, {}, ["beforeDownload", "downloadDenied"]);
    code = {};
    application.storage.open = never;
    const byStorage = await assertAlike(application, addresses, {}, []);
    for (const { status, headers } of [byCondition, byHook, byStorage]) {
      assert.deepEqual([status, headers["retry-after"]], [503, "5"]);
    }
  });

  it("answer 500 for a storage that fails, and 503 where no descriptor is free, alike", async (t) => {
    const application = await start();
    t.after(() => application.close());
    const addresses = await write(application, "file", small);
    for (const [cause, status] of [
      ["EIO", 500],
      ["EMFILE", 503],
    ] as const) {
      application.storage.open = async (key) => {
        throw new StorageError("/srv/secret", key, { cause: Object.assign(new Error(), { code: cause }) });
      };
      assert.equal((await assertAlike(application, addresses, {}, [])).status, status);
    }
  });

  it("answer 200 from a storage that is no disk, alike", async (t) => {
    const application = await start({ storage: new MemoryStorage() });
    t.after(() => application.close());
    const addresses = await write(application, "shown", large);
    const answer = await assertAlike(application, addresses, {}, ["beforeDownload", "afterDownload"]);
    assert.ok(answer.body.equals(large));
  });
});

/** An application that answers `/own/<property>/<id>` by `send`. */
async function start(options: object = {}): Promise<Application> {
  let application: Application | undefined;
  application = await startApplication({
    entities: [Paper],
    subscribers: [Listener],
    options,
    before(app) {
      app.use(async (ctx, next) => {
        const [, own, property, id] = ctx.path.split("/");
        if (own !== "own") return next();
        const paper = await application!.dataSource.manager.findOneByOrFail(Paper, { id: Number(id) });
        await application!.files.send(ctx, paper, property as "file");
      });
    },
  });
  return application;
}

/** A row with a file: its address by the routes, and by `send`. */
async function write({ files, dataSource }: Application, property: "file" | "shown", content: Buffer) {
  const paper = new Paper();
  await files.attach(paper, property, content, { filename: "scan.pdf" });
  await dataSource.manager.save(paper);
  return [files.url(paper, property), `/own/${property}/${paper.id}`] as const;
}

/** Asks both addresses for the same, and compares answers, hooks and errors. */
async function assertAlike(application: Application, addresses: readonly string[], ask: Ask, hooks: string[]) {
  const results = [];
  for (const path of addresses) {
    told.length = 0;
    application.errors.length = 0;
    const answer = await application.get(path, ask);
    await eventually(() => assert.equal(told.length, hooks.length));
    assert.deepEqual(
      told.map((event) => (event as { hook: string }).hook),
      hooks,
    );
    const errors = application.errors.map(({ message }) => message);
    results.push({ answer, events: [...told], errors });
  }
  const [routes, own] = results as [(typeof results)[0], (typeof results)[0]];
  assert.deepEqual(comparable(own.answer), comparable(routes.answer));
  assert.deepEqual([own.events, own.errors], [routes.events, routes.errors]);
  return own.answer;
}

/** All but the time, and the boundary of several ranges, which is random. */
function comparable({ status, headers: { date: _, ...headers }, body }: Answer) {
  const boundary = /boundary=(.*)/.exec(headers["content-type"] ?? "")?.[1];
  const without = (text: string) => (boundary ? text.replaceAll(boundary, "boundary") : text);
  return { status, headers: JSON.parse(without(JSON.stringify(headers))), body: without(body.toString("latin1")) };
}

async function askOverHttp2(client: ReturnType<typeof connect>, path: string, method: string) {
  const stream = client.request({ ":path": path, ":method": method });
  const chunks: Buffer[] = [];
  let answer: Record<string, unknown> = {};
  stream.on("response", ({ date: _, ...headers }) => {
    answer = { ...headers };
  });
  stream.end();
  for await (const chunk of stream) chunks.push(chunk);
  assert.ok(answer[":status"]);
  return { answer, body: Buffer.concat(chunks).toString() };
}

function headers(headers: Record<string, string>): Ask {
  return { headers };
}

function fails(properties: object = {}) {
  return () => {
    throw Object.assign(new Error("SELECT * FROM secret"), properties);
  };
}
