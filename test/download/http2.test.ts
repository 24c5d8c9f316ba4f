import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Agent, request as requestHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, streamDelivery } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { readAll } from "../support/connection.js";
import { eventually } from "../support/eventually.js";
import { filmOf, withFilm } from "../support/film.js";
import { run } from "../support/programs.js";
import { needs } from "../support/requirements.js";
import { selfSigned } from "../support/self-signed.js";
import { descriptorsUnder } from "../support/storage-disk.js";
import { after, before, describe, it, type TestContext } from "../support/suite.js";

@Entity()
class Film {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Film>({ condition: (ctx) => ctx.get("x-user") !== "mallory" }) file!: PrivateFile;
}

/** Descriptors are counted where the system lists them. */
const noProc = process.platform === "linux" ? false : "this system does not list descriptors in /proc";
const content = filmOf(3_000_000);

const warnings: Error[] = [];
const note = (warning: Error) => warnings.push(warning);
let application: Application;
let url: string;
let etag: string;

before(async () => {
  process.on("warning", note);
  application = await startApplication({ entities: [Film] });
  const film = new Film();
  await application.files.attach(film, "file", content, { filename: "a.mp4" });
  await application.dataSource.manager.save(film);
  url = application.files.url(film, "file");
  etag = (await application.get(url, { method: "HEAD" })).headers.etag!;
});
after(async () => {
  process.off("warning", note);
  await application.close();
});

describe("a download over HTTP/2", () => {
  let server: Server;
  let client: ClientHttp2Session;

  before(async () => {
    server = createServer(application.app.callback() as never).listen(0, "127.0.0.1");
    await once(server, "listening");
    client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  after(() => {
    client.close();
    server.close();
  });

  const text = (words: string) => () => Buffer.from(words);
  const part = () => content.subarray(10, 2_999_999);
  const partOf = { range: "bytes=10-2999998" };
  const rows: [string, () => OutgoingHttpHeaders, number, (() => Buffer) | undefined][] = [
    ["a GET", () => ({}), 200, () => content],
    ["a range", () => partOf, 206, part],
    ["a range with an If-Range that holds", () => ({ ...partOf, "if-range": etag }), 206, part],
    ["a range with an If-Range that does not hold", () => ({ ...partOf, "if-range": '"x"' }), 200, () => content],
    ["several ranges", () => ({ range: "bytes=0-9,100-2999998" }), 206, undefined],
    ["a range behind the end", () => ({ range: "bytes=9999999-" }), 416, text("Range Not Satisfiable")],
    ["a precondition that is met", () => ({ "if-none-match": etag }), 304, text("")],
    ["a HEAD with a precondition that is met", () => ({ ":method": "HEAD", "if-none-match": etag }), 304, text("")],
    ["a precondition that fails", () => ({ "if-match": '"x"' }), 412, text("Precondition Failed")],
    ["a HEAD", () => ({ ":method": "HEAD" }), 200, text("")],
    ["a refusal", () => ({ "x-user": "mallory" }), 403, text("Forbidden")],
    ["a HEAD that is refused", () => ({ ":method": "HEAD", "x-user": "mallory" }), 403, text("")],
    ["a POST", () => ({ ":method": "POST" }), 405, text("Method Not Allowed")],
  ];
  for (const [what, headers, status, body] of rows) {
    it(`answers ${status} to ${what}, with its bytes and without a warning`, async () => {
      const answer = await ask(client, headers());
      assert.equal(answer.status, status);
      assert.ok(body ? answer.body.equals(body()) : answer.body.includes(content.subarray(100, 2_999_999)));
      if (answer.body.length > 0) assert.equal(answer.headers["content-length"], String(answer.body.length));
      for (const name of ["connection", "transfer-encoding", "keep-alive"]) {
        assert.equal(answer.headers[name], undefined);
      }
      assert.deepEqual(warnings, []);
    });
  }

  describe("with a field in two lines", { skip: needs("curl") }, () => {
    const past = "Wed, 25 Jun 2014 17:12:17 GMT";
    const future = new Date(Date.now() + 86_400_000).toUTCString();
    const rows: [name: string, what: string, values: () => [string, string], status: number][] = [
      ["If-Modified-Since", "two dates, which are no date", () => [future, future], 200],
      ["If-Unmodified-Since", "two dates, which are no date", () => [past, past], 200],
      ["Range", "two sets, which are no set", () => ["bytes=0-4", "bytes=6-7"], 200],
      ["If-Range", "two tags, which are no tag", () => [etag, etag], 200],
      ["If-None-Match", "two tags, of which the second is the file's", () => ['"x"', etag], 304],
      ["If-Match", "two tags, of which the second is the file's", () => ['"x"', etag], 200],
      ["If-Match", "the file's tag and *, which are no list", () => [etag, "*"], 412],
    ];
    for (const [name, what, values, status] of rows) {
      it(`is answered with ${status} where ${name} has ${what}`, async () => {
        const { port } = server.address() as AddressInfo;
        const lines = values().map((value) => `${name}: ${value}`);
        if (name === "If-Range") lines.push("Range: bytes=0-4");
        const headers = lines.flatMap((line) => ["-H", line]);
        const head = ["-s", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
        const { stdout } = await run("curl", ...head, ...headers, `http://127.0.0.1:${port}${url}`);
        assert.equal(stdout, `2 ${status}`);
      });
    }
  });

  it("has in all else the headers of one over HTTP/1.1", async () => {
    for (const headers of [{}, partOf, { "if-none-match": etag }, { range: "bytes=9999999-" }]) {
      const answer = await ask(client, headers);
      const { date: _, ":status": __, ...second } = Object.fromEntries(Object.entries(answer.headers));
      const { date: ___, connection, "keep-alive": ____, ...first } = (await application.get(url, { headers })).headers;
      assert.deepEqual(second, first);
    }
  });

  it("shares its connection with 50 others at once, each with its own bytes", async () => {
    const batch = Array.from({ length: 50 }, async (_, index) => {
      const [, headers, status, body] = rows[index % rows.length]!;
      const answer = await ask(client, headers());
      assert.equal(answer.status, status);
      if (body) assert.ok(answer.body.equals(body()));
    });
    await Promise.all(batch);
    assert.deepEqual(warnings, []);
  });

  it("leaves no descriptor open when 100 clients leave in the middle, and the connection serves the next one", {
    skip: noProc,
  }, async () => {
    await ask(client, {});
    const base = await descriptors();
    for (let i = 0; i < 100; i++) {
      const stream = client.request({ ":path": url });
      if (i % 3 === 0) await once(stream, "response");
      if (i % 3 === 1) await once(stream, "data");
      stream.close(constants.NGHTTP2_CANCEL);
      stream.on("error", () => {});
    }
    await eventually(async () => assert.ok((await descriptors()) <= base, `${await descriptors()} of ${base}`));
    assert.ok((await ask(client, {})).body.equals(content));
    const codes = new Set(application.errors.map((error) => (error as NodeJS.ErrnoException).code));
    for (const usual of ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", ...REFUSALS]) codes.delete(usual);
    assert.deepEqual([...codes], []);
    assert.deepEqual(warnings, []);
  });

  it("is cut alone when its client takes nothing for stallTimeout: the connection serves others all the time", async (t) => {
    const { application, url, client } = await withStallingFilm(t, 1);
    const stalled = Array.from({ length: 90 }, () => client.request({ ":path": url }).pause());
    for (const stream of stalled) stream.on("error", () => {});
    for (let n = 0; n < 10; n++) {
      const answer = await readAll(client.request({ ":path": url }));
      assert.equal(answer.length, 8_000_000);
    }
    await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
    assert.equal((await readAll(client.request({ ":path": url }))).length, 8_000_000);
  });
});

describe("a slow download over HTTP/2", () => {
  // That of Node 22 and newer, where most chunks fit into the buffer of their stream.
  const own = getDefaultHighWaterMark(false);
  before(() => setDefaultHighWaterMark(false, 64 * 1024));
  after(() => setDefaultHighWaterMark(false, own));

  it("is not cut while its client takes some: it gets all, however much longer than stallTimeout that is", async (t) => {
    const { url, client } = await withStallingFilm(t, 1);
    const start = Date.now();
    let length = 0;
    for await (const chunk of client.request({ ":path": url })) {
      length += (chunk as Buffer).length;
      // Three seconds for the whole film, however large the chunks are.
      await sleep(((chunk as Buffer).length / 8_000_000) * 3000);
    }
    assert.equal(length, 8_000_000);
    assert.ok(Date.now() - start > 2000);
  });

  it("may begin later than stallTimeout, and is cut all the same when its client takes nothing then", {
    skip: noProc,
  }, async (t) => {
    const before = (app: Koa) =>
      app.use(async (_ctx, next) => {
        await next();
        await sleep(1500);
      });
    const { application, url, client, origin } = await withStallingFilm(t, 1, before);
    assert.equal((await readAll(client.request({ ":path": url }))).length, 8_000_000);
    // Not even the first write is taken whole.
    const narrow = connect(origin, { settings: { initialWindowSize: 1000 } });
    t.after(() => narrow.destroy());
    const stalled = narrow.request({ ":path": url }).pause();
    stalled.on("error", () => {});
    await once(stalled, "response");
    assert.equal((await descriptorsUnder(application.storage.root)).length, 1);
    await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
  });
});

/** A film that is cut after so many seconds without progress, and a client of HTTP/2 with room for what others don't take. */
async function withStallingFilm(t: TestContext, stallTimeout: number, before?: (app: Koa) => void) {
  const film = await withFilm(t, { options: { delivery: streamDelivery({ stallTimeout }) }, before });
  const server = createServer(film.application.app.callback() as never).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = connect(origin);
  client.on("connect", () => client.setLocalWindowSize(100 * 1024 * 1024));
  t.after(() => {
    client.destroy();
    server.close();
  });
  return { ...film, client, origin };
}

const REFUSALS = ["ERR_PRIVATE_FILE_ACCESS_DENIED", "ERR_PRIVATE_FILE_METHOD"];

describe("a download over TLS", { skip: needs("openssl") }, () => {
  let server: Server;
  let origin: string;
  let ca: string;

  before(async () => {
    const own = await selfSigned();
    ca = own.cert;
    server = createSecureServer({ ...own, allowHTTP1: true }, application.app.callback() as never);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it("comes over HTTP/2 to a client that speaks it", async (t) => {
    // The client of Node 22.13 warns of an address in the place of a name.
    const client = connect(origin.replace("127.0.0.1", "localhost"), { ca });
    t.after(() => client.close());
    await once(client, "connect");
    assert.equal(client.alpnProtocol, "h2");
    assert.ok((await ask(client, {})).body.equals(content));
    const { status, body } = await ask(client, { range: "bytes=2-8" });
    assert.deepEqual([status, body], [206, content.subarray(2, 9)]);
    assert.deepEqual(warnings, []);
  });

  it("comes over HTTP/1.1 to a client that speaks nothing else", async (t) => {
    for (const [headers, status, body] of [
      [{}, 200, content],
      [{ Range: "bytes=2-8" }, 206, content.subarray(2, 9)],
      [{ "If-None-Match": etag }, 304, Buffer.alloc(0)],
      [{ "X-User": "mallory" }, 403, Buffer.from("Forbidden")],
    ] as const) {
      const answer = await askFirst(t, origin, ca, headers);
      assert.deepEqual([answer.version, answer.status], ["1.1", status]);
      assert.ok(answer.body.equals(body));
    }
    assert.deepEqual(warnings, []);
  });
});

async function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders) {
  const stream = client.request({ ":path": url, ...headers });
  stream.end();
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
  return { status: Number(answer[":status"]), headers: answer, body: await readAll(stream) };
}

async function askFirst(t: TestContext, origin: string, ca: string, headers: OutgoingHttpHeaders) {
  const agent = new Agent({ ca, ALPNProtocols: ["http/1.1"] });
  t.after(() => agent.destroy());
  const outgoing = requestHttps(`${origin}${url}`, { agent, headers }).end();
  const [incoming] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  return { version: incoming.httpVersion, status: incoming.statusCode, body: await readAll(incoming) };
}

async function descriptors(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}
