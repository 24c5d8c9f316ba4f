import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, truncate } from "node:fs/promises";
import type { OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliDecompressSync } from "node:zlib";
import cors from "@koa/cors";
import etag from "@koa/etag";
import Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import compress from "koa-compress";
import conditional from "koa-conditional-get";
import helmet from "koa-helmet";
import mount from "koa-mount";
import range from "koa-range";
import session from "koa-session";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AfterDownloadEvent,
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  PrivateFiles,
  type PrivateFilesOptions,
} from "typeorm-private-files";
import {
  type Answer,
  type Application,
  type Ask,
  changeOpened,
  get,
  startApplication,
} from "../support/application.js";
import { openConnection, readAll } from "../support/connection.js";
import { eventually } from "../support/eventually.js";
import { filmOf } from "../support/film.js";

@Entity()
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: true }) open!: boolean;

  @PrivateFileColumn<Paper>({ nullable: true, condition: (_ctx, paper) => paper.open }) file!: PrivateFile | null;
  @PrivateFileColumn<Paper>({ nullable: true, condition: () => true, attachment: false }) shown!: PrivateFile | null;
  @PrivateFileColumn<Paper>({ nullable: true, condition: () => true, cacheControl: "public, max-age=60" })
  cached!: PrivateFile | null;
}

const told: (BeforeDownloadEvent | AfterDownloadEvent)[] = [];

@EventSubscriber()
class Listener implements PrivateFileSubscriber<Paper> {
  listenTo() {
    return Paper;
  }
  beforeDownload(event: BeforeDownloadEvent<Paper>) {
    told.push(event as BeforeDownloadEvent);
  }
  afterDownload(event: AfterDownloadEvent<Paper>) {
    told.push(event as AfterDownloadEvent);
  }
}

interface Stored {
  what: string;
  content: Buffer;
  url: string;
}

let application: Application;
let files: Stored[];
let denied: string;
let missing: string;

before(async () => {
  application = await startApplication({ entities: [Paper], subscribers: [Listener] });
  const small = Buffer.from("0123456789a");
  const text = Buffer.from("All work and no play makes a dull text. ".repeat(7500));
  const binary = filmOf(3_000_000);
  files = [
    { what: "a file of 11 bytes", content: small, url: await store("file", small, "small.txt") },
    { what: "a text of 300 KB", content: text, url: await store("shown", text, "text.txt") },
    { what: "a binary of 3 MB", content: binary, url: await store("file", binary, "film.mp4") },
  ];
  denied = await store("file", text, "denied.txt", false);
  missing = denied.replace(/\/\d+\//, "/99/");
});
after(() => application.close());

type Added = Record<string, string | RegExp>;

/** How middleware is put around the routes, and which headers it adds. */
interface Setup {
  name: string;
  use: (app: Koa) => void;
  adds?: Added;
  addsToRefusals?: Added;
}

const HELMET = {
  "cross-origin-opener-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0",
};
const CORS = { "access-control-allow-origin": "*", vary: "Origin" };
const CORS_FOR_ONE = {
  "access-control-allow-credentials": "true",
  "access-control-allow-origin": "https://app.example",
  "access-control-expose-headers": "Content-Disposition",
  vary: "Origin",
};

const setups: Setup[] = [
  { name: "koa-helmet", use: (app) => app.use(helmet()), adds: HELMET },
  { name: "@koa/cors", use: (app) => app.use(cors()), adds: CORS, addsToRefusals: CORS },
  {
    name: "@koa/cors for one origin, with credentials",
    use: (app) => app.use(corsForOne()),
    adds: CORS_FOR_ONE,
    addsToRefusals: CORS_FOR_ONE,
  },
  { name: "koa-compress", use: (app) => app.use(compress()), adds: { vary: "Accept-Encoding" } },
  {
    name: "koa-compress told to compress all that there is",
    use: (app) => app.use(compress({ threshold: 0, filter: () => true })).use(compressing),
    adds: { vary: "Accept-Encoding" },
  },
  { name: "koa-conditional-get", use: (app) => app.use(conditional()) },
  { name: "@koa/etag", use: (app) => app.use(etag()) },
  { name: "koa-conditional-get and @koa/etag", use: (app) => app.use(conditional()).use(etag()) },
  {
    name: "koa-session with a visit counted after next()",
    use: (app) => app.use(sessions(app)).use(countingVisits),
    adds: { "set-cookie": /^koa\.sess=[\w=]+; path=\/.*; httponly,koa\.sess\.sig=/ },
  },
  { name: "app.proxy", use: (app) => Object.assign(app, { proxy: true }) },
  { name: "middleware that waits for 50 ms after next()", use: (app) => app.use(waiting) },
  {
    name: "all of them",
    use: (app) => {
      app.proxy = true;
      app.use(waiting).use(helmet()).use(corsForOne()).use(compress()).use(conditional()).use(etag());
      app.use(sessions(app)).use(countingVisits);
    },
    adds: { ...HELMET, ...CORS_FOR_ONE, vary: "Origin, Accept-Encoding", "set-cookie": /^koa\.sess=.*koa\.sess\.sig=/ },
    addsToRefusals: CORS_FOR_ONE,
  },
];

/** What is asked for each file, and what comes back. */
interface Question {
  what: string;
  status: number;
  ask: (etag: string) => { method?: string; headers?: OutgoingHttpHeaders };
  body: (content: Buffer) => Buffer;
}

const none = () => Buffer.alloc(0);
const whole = (content: Buffer) => content;
const part = (content: Buffer) => content.subarray(2, 9);
const partOf = { Range: "bytes=2-8" };
const questions: Question[] = [
  { what: "a GET", status: 200, ask: () => ({}), body: whole },
  { what: "a HEAD", status: 200, ask: () => ({ method: "HEAD" }), body: none },
  { what: "a Range", status: 206, ask: () => ({ headers: partOf }), body: part },
  {
    what: "a Range to the end",
    status: 206,
    ask: () => ({ headers: { Range: "bytes=1-" } }),
    body: (content) => content.subarray(1),
  },
  {
    what: "an If-None-Match with the tag",
    status: 304,
    ask: (etag) => ({ headers: { "If-None-Match": etag } }),
    body: none,
  },
  {
    what: "a HEAD with an If-None-Match with the tag",
    status: 304,
    ask: (etag) => ({ method: "HEAD", headers: { "If-None-Match": etag } }),
    body: none,
  },
  {
    what: "an If-None-Match with another tag",
    status: 200,
    ask: () => ({ headers: { "If-None-Match": '"x"' } }),
    body: whole,
  },
  {
    what: "an If-None-Match with another tag, and an If-Modified-Since that is met",
    status: 200,
    ask: () => ({ headers: { "If-None-Match": '"x"', "If-Modified-Since": new Date().toUTCString() } }),
    body: whole,
  },
  {
    what: "a Range with an If-Range that holds",
    status: 206,
    ask: (etag) => ({ headers: { ...partOf, "If-Range": etag } }),
    body: part,
  },
  {
    what: "a Range with an If-Range that does not hold",
    status: 200,
    ask: () => ({ headers: { ...partOf, "If-Range": '"x"' } }),
    body: whole,
  },
  {
    what: "an If-Match with another tag",
    status: 412,
    ask: () => ({ headers: { "If-Match": '"x"' } }),
    body: () => Buffer.from("Precondition Failed"),
  },
  {
    what: "a Range behind the end",
    status: 416,
    ask: () => ({ headers: { Range: "bytes=9999999-" } }),
    body: () => Buffer.from("Range Not Satisfiable"),
  },
];

/** What clients and proxies say in each request beside what is asked. */
const usual = {
  "Accept-Encoding": "gzip, br",
  Origin: "https://app.example",
  "X-Forwarded-For": "192.0.2.1",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Proto": "https",
};

for (const { name, use, adds = {}, addsToRefusals = {} } of setups) {
  describe(`with ${name} around them, the routes`, () => {
    let port: number;
    let stop: () => void;
    before(async () => {
      const app = new Koa();
      use(app);
      ({ port, stop } = await serve(app.use(application.files.routes())));
    });
    after(() => stop());

    for (const question of questions) {
      it(`answer ${question.status} to ${question.what}, with the same bytes and headers as without`, async () => {
        await Promise.all(files.map((file) => assertAsBare(port, file, question, adds)));
      });
    }

    for (const [what, status, urlOf] of [
      ["a file that is denied", 403, () => denied],
      ["a row that is not there", 404, () => missing],
    ] as const) {
      it(`answer ${status} for ${what}, whatever is asked, as without`, async () => {
        const each = questions.map(async ({ ask }) => {
          const bare = await application.get(urlOf(), withUsual(ask('"x"')));
          const answer = await get(port, urlOf(), withUsual(ask('"x"')));
          assert.equal(answer.status, status);
          assert.deepEqual(answer.body, bare.body);
          assertHeaders(answer, bare, addsToRefusals);
        });
        await Promise.all(each);
      });
    }
  });
}

describe("koa-conditional-get around the routes", () => {
  // What the routes do not take for a condition, as RFC 9110 has it, this middleware may.
  const rows: [string, (etag: string) => Record<string, string>][] = [
    ["a date in the form of ISO 8601", () => ({ "If-Modified-Since": "2099-01-01" })],
    ["a list of tags that breaks the grammar", (etag) => ({ "If-None-Match": `x, ${etag}` })],
    [
      "an empty If-None-Match with a date",
      () => ({ "If-None-Match": "", "If-Modified-Since": new Date().toUTCString() }),
    ],
  ];
  for (const [what, headersOf] of rows) {
    for (const part of [{}, { Range: "bytes=2-8" }]) {
      it(`answers 304 by itself to ${what}${"Range" in part ? " and a Range" : ""}, after the hooks were told: no byte is sent, and they hear of none`, async (t) => {
        const { port, stop, errors } = await serve(new Koa().use(conditional()).use(application.files.routes()));
        t.after(stop);
        for (const { url } of files) {
          const { etag } = (await application.get(url, { method: "HEAD" })).headers;
          const headers = { ...headersOf(etag!), ...part };
          assert.equal((await application.get(url, { headers })).status, "Range" in part ? 206 : 200);
          await eventually(async () => assert.ok(told.length === 0 || "aborted" in told.at(-1)!));
          told.length = 0;
          const answer = await get(port, url, { headers });
          assert.deepEqual([answer.status, answer.headers.etag, answer.body.length], [304, etag, 0]);
          await eventually(async () => assert.equal(told.length, 2));
          const { bytesSent, aborted } = told[1] as AfterDownloadEvent;
          assert.deepEqual([bytesSent, aborted], [0, false]);
        }
        assert.deepEqual(errors, []);
      });
    }
  }
});

describe("an error handler of the application, inside of other middleware,", () => {
  const page = `<!doctype html><p>${"You can't have this file. ".repeat(100)}`;
  const pages: Middleware = async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      ctx.status = (error as { status?: number }).status ?? 500;
      ctx.body = ctx.accepts("html", "json") === "html" ? page : { error: (error as { code: string }).code };
    }
  };
  let port: number;
  let stop: () => void;
  before(async () => {
    const app = new Koa();
    app.use(helmet()).use(corsForOne()).use(compress()).use(conditional()).use(etag()).use(pages);
    ({ port, stop } = await serve(app.use(application.files.routes())));
  });
  after(() => stop());

  it("renders refusals as JSON, with the headers of all middleware and none of a file", async () => {
    for (const [url, status, code] of [
      [denied, 403, "ERR_PRIVATE_FILE_ACCESS_DENIED"],
      [missing, 404, "ERR_PRIVATE_FILE_NOT_FOUND"],
    ] as const) {
      const { headers, ...answer } = await get(port, url, withUsual({ headers: { Accept: "application/json" } }));
      assert.deepEqual([answer.status, JSON.parse(answer.body.toString())], [status, { error: code }]);
      assert.equal(headers["content-length"], String(answer.body.length));
      for (const [name, value] of Object.entries({ ...HELMET, ...CORS_FOR_ONE, vary: "Origin, Accept-Encoding" })) {
        assert.equal(headers[name], value);
      }
      for (const name of OF_A_FILE) assert.equal(headers[name], undefined, name);
    }
  });

  it("renders them as pages, which may be compressed: they are the application's own", async () => {
    const { status, headers, body } = await get(port, denied, withUsual({ headers: { Accept: "text/html" } }));
    assert.deepEqual([status, headers["content-encoding"]], [403, "br"]);
    assert.equal(brotliDecompressSync(body).toString(), page);
  });

  it("renders a failure of the storage, with none of the file's headers", async (t) => {
    const { open } = application.storage;
    t.after(() => Object.assign(application.storage, { open }));
    application.storage.open = async (key) => {
      const object = (await open.call(application.storage, key))!;
      object.read = () => Promise.reject(new Error("EIO"));
      return object;
    };
    for (const { url } of files) {
      const { status, headers, body } = await get(port, url, withUsual({ headers: { Accept: "application/json" } }));
      assert.deepEqual([status, JSON.parse(body.toString())], [500, { error: "ERR_PRIVATE_FILE_FAILED" }]);
      for (const name of OF_A_FILE) assert.equal(headers[name], undefined, name);
    }
  });

  it("leaves files as they are", async () => {
    const adds = { ...HELMET, ...CORS_FOR_ONE, vary: "Origin, Accept-Encoding" };
    for (const question of questions) {
      await Promise.all(files.map((file) => assertAsBare(port, file, question, adds)));
    }
  });
});

const OF_A_FILE = ["etag", "last-modified", "accept-ranges", "content-disposition", "content-range"];

describe("PrivateFiles.url", () => {
  const nested = (path: string, inner: Router) =>
    new Router({ prefix: "/api" }).use(path, inner.routes()).routes() as Middleware;
  const rows: [string, PrivateFilesOptions, string, (files: PrivateFiles) => Middleware][] = [
    ["mounted with koa-mount", { baseUrl: "/site" }, "/site/private-files", (own) => mount("/site", own.routes())],
    [
      "in an application that is mounted",
      { baseUrl: "/site" },
      "/site/private-files",
      (own) => mount("/site", new Koa().use(own.routes())),
    ],
    ["with a prefix", { prefix: "/my/files" }, "/my/files", (own) => own.routes()],
    [
      "nested in a router with a prefix",
      { baseUrl: "/api/v1" },
      "/api/v1/private-files",
      (own) => nested("/v1", own.router),
    ],
    [
      "mounted, nested, and with a prefix",
      { baseUrl: "/site/api/v1", prefix: "/f" },
      "/site/api/v1/f",
      (own) => mount("/site", nested("/v1", own.router)),
    ],
  ];
  for (const [what, options, start, around] of rows) {
    it(`leads to the file where the routes are ${what}, and nothing else does`, async (t) => {
      const { dataSource, storage } = application;
      const own = new PrivateFiles(dataSource, { storage, ...options });
      const { port, stop } = await serve(new Koa().use(around(own)).use(ownPage));
      t.after(stop);
      for (const file of files) {
        const id = Number(file.url.split("/")[4]);
        const paper = await dataSource.manager.findOneByOrFail(Paper, { id });
        const url = own.url(paper, paper.file ? "file" : "shown");
        assert.equal(url, start + file.url.slice("/private-files".length));
        for (const question of questions) await assertAsBare(port, file, question, {}, url);
        assert.equal((await get(port, url.replace("/paper/", "/Paper/"))).status, 404);
        assert.equal((await get(port, `${url}/`)).status, 404);
      }
      const refused = await get(port, start + denied.slice("/private-files".length));
      assert.equal(refused.status, 403);
      assert.equal((await get(port, "/")).body.toString(), "the app's own");
    });
  }
});

describe("two PrivateFiles in one application", () => {
  @Entity()
  class Note {
    @PrimaryGeneratedColumn() id!: number;
    @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
  }

  /** Another data source with a note, and the routes of both behind each other. */
  async function withNote(t: TestContext, options: PrivateFilesOptions) {
    const other = await startApplication({ entities: [Note], options });
    t.after(() => other.close());
    const note = new Note();
    await other.files.attach(note, "file", Buffer.from("a note"), { filename: "note.txt" });
    await other.dataSource.manager.save(note);
    const { port, stop } = await serve(new Koa().use(application.files.routes()).use(other.files.routes()));
    t.after(stop);
    return { port, url: other.files.url(note, "file") };
  }

  it("serve each their own files where each has a prefix of its own", async (t) => {
    const { port, url } = await withNote(t, { prefix: "/notes" });
    assert.equal((await get(port, url)).body.toString(), "a note");
    for (const question of questions) await assertAsBare(port, files[0]!, question);
  });

  it("answer no file where both have the same one: the first would answer for all below it", async (t) => {
    const { port, url } = await withNote(t, {});
    assert.equal((await get(port, url)).status, 500);
  });
});

describe("middleware that waits after next(), around the routes,", () => {
  /** Serves a file of its own, since it is damaged; the wait ends when the test says so. */
  async function withWait(t: TestContext) {
    const content = Buffer.alloc(3_000_000, "x");
    const url = await store("file", content, "waiting.bin");
    const waits = { started: () => {}, end: () => {} };
    const started = new Promise<void>((resolve) => (waits.started = resolve));
    const ended = new Promise<void>((resolve) => (waits.end = resolve));
    const app = new Koa().use(async (_ctx, next) => {
      await next();
      waits.started();
      await ended;
    });
    const { port, stop, errors } = await serve(app.use(application.files.routes()));
    t.after(stop);
    const paper = await application.dataSource.manager.findOneByOrFail(Paper, { id: Number(url.split("/")[4]) });
    const path = application.storage.path(paper.file!.key);
    return { content, url, port, path, errors, started, end: waits.end };
  }

  it("sends all of a file that is deleted meanwhile, and answers 404 afterwards", async (t) => {
    const { content, url, port, path, started, end } = await withWait(t);
    const pending = get(port, url);
    await started;
    await rm(path);
    end();
    assert.ok((await pending).body.equals(content));
    assert.equal((await get(port, url)).status, 404);
  });

  it("cuts the connection of a file that is truncated meanwhile, and goes on", async (t) => {
    const { url, port, path, errors, started, end } = await withWait(t);
    const pending = get(port, url);
    pending.catch(() => {});
    await started;
    await truncate(path, 1000);
    end();
    await assert.rejects(pending, /aborted|socket hang up/);
    await eventually(async () => assert.match(String(errors), /became shorter/));
    for (const question of questions) await assertAsBare(port, files[2]!, question);
  });

  it("lets go of the file of a client that leaves meanwhile", async (t) => {
    const { url, port, started, end } = await withWait(t);
    const { open } = application.storage;
    t.after(() => Object.assign(application.storage, { open }));
    let held = 0;
    changeOpened(application, (object) => {
      held++;
      const close = async () => {
        held--;
        await object.close();
      };
      return { close };
    });
    const socket = await openConnection(t, port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await started;
    assert.equal(held, 1);
    socket.destroy();
    await eventually(async () => assert.equal(held, 0));
    end();
    for (const question of questions) await assertAsBare(port, files[2]!, question);
  });
});

describe("a Set-Cookie", () => {
  it("is in no answer of the routes, also where a column lets every cache keep its files", async () => {
    const url = await store("cached", Buffer.from("for all"), "cached.txt");
    for (const { ask } of questions) {
      const { headers, status } = await application.get(url, withUsual(ask('"x"')));
      assert.equal(headers["set-cookie"], undefined);
      assert.equal(headers["cache-control"], status >= 400 ? "private, no-store" : "public, max-age=60");
    }
    for (const refused of [denied, missing]) {
      assert.equal((await application.get(refused)).headers["set-cookie"], undefined);
    }
  });

  it("of koa-session is in answers that caches keep where it is around the routes, and in none where they come first", async (t) => {
    const url = await store("cached", Buffer.from("for all"), "cached.txt");
    const around = new Koa();
    around.use(sessions(around)).use(countingVisits).use(application.files.routes());
    const behind = new Koa();
    behind.use(application.files.routes()).use(sessions(behind)).use(countingVisits);
    for (const [app, cookies] of [
      [around, 2],
      [behind, undefined],
    ] as const) {
      const { port, stop } = await serve(app);
      t.after(stop);
      const { headers } = await get(port, url);
      assert.equal(headers["cache-control"], "public, max-age=60");
      assert.equal(headers["set-cookie"]?.length, cookies);
    }
  });
});

describe("koa-range around the routes", () => {
  // What it makes of their answers. The documentation says to leave it away; these are the reasons.
  const rows: [string, Record<string, string>, string, string | undefined, string, string][] = [
    ["cuts a part out of the part", { Range: "bytes=2-8" }, "206", "bytes 2-8/7", "7", "45678"],
    ["calls a part the whole", { Range: "bytes=0-4" }, "206", "bytes 0-4/5", "5", "01234"],
    [
      "sends a part of another state than If-Range names",
      { Range: "bytes=2-8", "If-Range": '"x"' },
      ...(["206", "bytes 2-8/11", "7", "2345678"] as const),
    ],
    ["sends a negative length in place of a 416", { Range: "bytes=99-" }, "206", "bytes 99-20/21", "-78", ""],
    ["refuses the last bytes", { Range: "bytes=-5" }, "416", undefined, "21", "Range Not Satisfiable"],
  ];
  for (const [what, headers, status, contentRange, length, body] of rows) {
    it(`${what}`, async (t) => {
      const { port, stop } = await serve(new Koa().use(range).use(application.files.routes()));
      t.after(stop);
      const socket = await openConnection(t, port);
      const lines = Object.entries({ Host: "x", Connection: "close", ...headers }).map((pair) => pair.join(": "));
      socket.write(`GET ${files[0]!.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      const [head, received] = (await readAll(socket)).toString().split("\r\n\r\n");
      assert.equal(/^HTTP\/1\.1 (\d+)/.exec(head!)?.[1], status);
      assert.equal(/^Content-Range: (.*)$/m.exec(head!)?.[1], contentRange);
      assert.equal(/^Content-Length: (.*)$/m.exec(head!)?.[1], length);
      assert.equal(received, body);
    });
  }

  it("sends no byte of a file that is denied", async (t) => {
    const { port, stop } = await serve(new Koa().use(range).use(application.files.routes()));
    t.after(stop);
    const { status, body } = await get(port, denied, { headers: { Range: "bytes=0-4" } });
    assert.deepEqual([status, body.toString()], [403, "Forbidden"]);
  });
});

/** Asks a server for a file, and the one without middleware for the same: the answers are the same, but for what is added. */
async function assertAsBare(
  port: number,
  { what, content, url }: Stored,
  question: Question,
  adds: Added = {},
  there = url,
): Promise<void> {
  const { etag } = (await application.get(url, { method: "HEAD" })).headers;
  const ask = withUsual(question.ask(etag!));
  const bare = await application.get(url, ask);
  const answer = await get(port, there, ask);
  assert.deepEqual([answer.status, bare.status], [question.status, question.status], what);
  assert.ok(answer.body.equals(question.body(content)), `${what}: ${answer.body.length} bytes`);
  if (answer.body.length > 0) assert.equal(answer.headers["content-length"], String(answer.body.length));
  assertHeaders(answer, bare, adds);
}

function withUsual({ headers, ...ask }: Ask): Ask {
  return { ...ask, headers: { ...usual, ...headers } };
}

/** An answer has the headers of the bare routes and those that the middleware adds, and no other. */
function assertHeaders(answer: Answer, bare: Answer, adds: Added): void {
  const { date: _, ...headers } = answer.headers;
  const { date: __, ...expected } = bare.headers;
  for (const [name, value] of Object.entries(adds)) {
    if (value instanceof RegExp) assert.match(String(headers[name]), value);
    else assert.equal(headers[name], value);
    delete headers[name];
  }
  assert.deepEqual(headers, expected);
}

/** Serves an application of its own, beside the one without middleware. */
async function serve(app: Koa) {
  const errors: Error[] = [];
  app.on("error", (error: Error) => errors.push(error));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, errors, stop };
}

async function store(property: "file" | "shown" | "cached", content: Buffer, filename: string, open = true) {
  const { dataSource, files: privateFiles } = application;
  const paper = dataSource.manager.create(Paper, { open });
  await privateFiles.attach(paper, property, content, { filename });
  await dataSource.manager.save(paper);
  return privateFiles.url(paper, property);
}

function corsForOne(): Middleware {
  return cors({ origin: "https://app.example", credentials: true, exposeHeaders: "Content-Disposition" });
}

function sessions(app: Koa): Middleware {
  app.keys = ["a key of the test"];
  return session({}, app);
}

async function countingVisits(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  await next();
  ctx.session!.visits = (ctx.session!.visits ?? 0) + 1;
}

const ownPage: Middleware = (ctx) => {
  ctx.body = "the app's own";
};

async function compressing(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  ctx.compress = true;
  await next();
}

async function waiting(_ctx: Koa.Context, next: Koa.Next): Promise<void> {
  await next();
  await sleep(50);
}
