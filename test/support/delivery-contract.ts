import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, link, mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request, type Server } from "node:http";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { type Delivery, PrivateFile, type StallOptions } from "typeorm-private-files";
import type { Application } from "./application.js";
import { openConnection, readAll } from "./connection.js";
import { eventually } from "./eventually.js";
import { Film, type FilmApplication, filmOf, type WithFilm, withFilm as withAnyFilm } from "./film.js";
import { run } from "./programs.js";
import { descriptorsUnder } from "./storage-disk.js";

/** Makes the delivery to test. */
type MakeDelivery = (options?: StallOptions) => Delivery;

/** Starts an application that sends its film with the delivery. */
type WithDelivery = (t: TestContext, options?: WithFilm & StallOptions) => Promise<FilmApplication>;

/** Descriptors are counted where the system lists them. */
const noProc = process.platform === "linux" ? false : "this system does not list descriptors in /proc";
const content = filmOf(8_000_000);

/**
 * What every delivery that sends files of a disk through this process must do, as tests.
 *
 * @param name what to call it in the report.
 */
export function describeDelivery(name: string, make: MakeDelivery): void {
  const withFilm: WithDelivery = (t, { stallTimeout, ...options } = {}) =>
    withAnyFilm(t, { ...options, options: { ...options.options, delivery: make({ stallTimeout }) } });
  describe(name, () => {
    describe("the bytes", () => describeBytes(withFilm));
    describe("a file beside others", () => describeNames(withFilm));
    describe("a file that changes while it is sent", () => describeChanges(withFilm));
    describe("a file that changes before it is sent", () => describeSwaps(withFilm));
    describe("a client that leaves or stalls", () => describeClients(withFilm));
    describe("middleware around it", () => describeMiddleware(withFilm));
  });
}

function describeBytes(withFilm: WithDelivery): void {
  for (const size of [0, 1, 32_768, 65_535, 65_536, 65_537, 262_145, 327_680, 5_000_000]) {
    it(`are those of a file of ${size} bytes, whole, in part and in several parts`, async (t) => {
      const bytes = filmOf(size);
      const { application, url } = await withFilm(t, { content: bytes });
      const whole = await application.get(url);
      assert.deepEqual([whole.status, whole.headers["content-length"]], [200, String(size)]);
      assert.ok(whole.body.equals(bytes));
      if (size < 100) return;
      const part = await application.get(url, { headers: { Range: `bytes=100-${size - 2}` } });
      assert.equal(part.status, 206);
      assert.ok(part.body.equals(bytes.subarray(100, size - 1)));
      const parts = await application.get(url, { headers: { Range: `bytes=0-9,20-${size - 20},-5` } });
      assert.deepEqual([parts.status, parts.headers["content-length"]], [206, String(parts.body.length)]);
      for (const [start, end] of [
        [0, 10],
        [20, size - 19],
        [size - 5, size],
      ] as const) {
        const header = Buffer.from(`Content-Range: bytes ${start}-${end - 1}/${size}\r\n\r\n`);
        const at = parts.body.indexOf(header) + header.length;
        assert.ok(parts.body.subarray(at, at + end - start).equals(bytes.subarray(start, end)));
      }
      assert.deepEqual(application.errors, []);
    });
  }

  it("come with the headers that were decided before, and no other of the file's", async (t) => {
    const { application, url } = await withFilm(t);
    const head = await application.get(url, { method: "HEAD" });
    const whole = await application.get(url);
    assert.deepEqual({ ...whole.headers, date: "" }, { ...head.headers, date: "" });
  });

  it("are not opened for a HEAD", async (t) => {
    const { application, url } = await withFilm(t);
    application.storage.open = () => assert.fail("the file was opened");
    assert.equal((await application.get(url, { method: "HEAD" })).status, 200);
  });
}

/** What koa-send takes for another file, or for none. */
const NAMES = [
  "..%2f..%2fsecret.pdf",
  "%41.pdf",
  "A.pdf",
  "100%.pdf",
  "a%2fb.pdf",
  "%2e%2e",
  ".env.pdf",
  "-rf",
  "a b.pdf",
  "a?b#c.pdf",
  "a+b&c=d.pdf",
  "Отчёт 報告.pdf",
  "'\"<>|*.pdf",
  "index.html",
];

function describeNames(withFilm: WithDelivery): void {
  it("is sent as it is, whatever its name would be decoded to", async (t) => {
    const { application } = await withFilm(t);
    const { files, storage, dataSource } = application;
    for (const name of NAMES) await storage.put(`docs/.d/${name}`, Readable.from([Buffer.from(`this is ${name}`)]));
    for (const name of NAMES) {
      const film = dataSource.manager.create(Film, { file: new PrivateFile(`docs/.d/${name}`) });
      await dataSource.manager.save(film);
      const answer = await application.get(files.url(film, "file"));
      assert.deepEqual([answer.status, answer.body.toString()], [200, `this is ${name}`], name);
    }
  });

  it("is sent as it is, whatever lies beside it for a client that takes it compressed", async (t) => {
    const { application, url, path } = await withFilm(t);
    for (const extension of [".gz", ".br", ".html", ".mp4"]) await writeFile(path + extension, "another one's");
    for (const encoding of ["gzip", "br", "gzip, br, deflate, zstd", "*"]) {
      const answer = await application.get(url, { headers: { "Accept-Encoding": encoding } });
      assert.ok(answer.body.equals(content));
      assert.deepEqual([answer.headers["content-encoding"], answer.headers.vary], [undefined, undefined]);
    }
  });
}

function describeChanges(withFilm: WithDelivery): void {
  it("grows: exactly the promised bytes go out, and the next answer on the connection is whole", async (t) => {
    const { application, url, path } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "readable");
    await appendFile(path, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHACKED");
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\nConnection: close\r\n\r\n`);
    const received = await readAll(socket);
    const bodyStart = received.indexOf("\r\n\r\n") + 4;
    assert.ok(received.subarray(bodyStart, bodyStart + content.length).equals(content));
    const second = received.subarray(bodyStart + content.length).toString("latin1");
    assert.match(second, /^HTTP\/1\.1 206 Partial Content\r\n/);
    assert.ok(!received.includes("HACKED"));
  });

  it("shrinks: the connection is cut before another answer goes out on it, and the application is told", async (t) => {
    const { application, url, path } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\nGET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "readable");
    await truncate(path, 5_000_000);
    const received = await readAll(socket);
    const bodyStart = received.indexOf("\r\n\r\n") + 4;
    assert.ok(received.length - bodyStart < content.length);
    assert.ok(!received.subarray(bodyStart).includes("HTTP/1.1"));
    await eventually(async () => assert.match(String(application.errors), /became shorter|bytes early/));
  });

  it("is deleted: all of it goes out, and the next request finds none", async (t) => {
    const { application, url, path } = await withFilm(t);
    const [incoming] = (await once(request({ port: application.port, path: url }).end(), "response")) as [
      IncomingMessage,
    ];
    await rm(path);
    assert.ok((await readAll(incoming)).equals(content));
    assert.equal((await application.get(url)).status, 404);
  });

  it("is replaced all the time: each of 2,000 answers is the old file or the new one, whole", async (t) => {
    const versions = Array.from({ length: 9 }, (_, n) => Buffer.alloc(100_000 + n * 10_000, `${n}`));
    const { application, url, path } = await withFilm(t, { content: versions[0] });
    let replaced = 0;
    let answered = false;
    const replacing = (async () => {
      while (!answered) {
        await writeFile(`${path}.new`, versions[++replaced % 9]!);
        await rename(`${path}.new`, path);
      }
    })();
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const ask = async () => {
      const [incoming] = (await once(request({ port: application.port, path: url, agent }).end(), "response")) as [
        IncomingMessage,
      ];
      const body = await readAll(incoming);
      assert.equal(incoming.statusCode, 200);
      assert.equal(body.length, Number(incoming.headers["content-length"]));
      assert.ok(
        versions.some((version) => version.equals(body)),
        `${body.length} bytes of a mixture`,
      );
    };
    try {
      for (let n = 0; n < 2_000; n += 4) await Promise.all([ask(), ask(), ask(), ask()]);
    } finally {
      answered = true;
      agent.destroy();
      await replacing;
    }
    assert.ok(replaced > 100, `it was replaced ${replaced} times`);
  });
}

function describeSwaps(withFilm: WithDelivery): void {
  const secret = "another one's secret";
  const swaps: [what: string, swap: (path: string) => Promise<unknown>][] = [
    ["deleted", async () => {}],
    ["a link to a file outside", (path) => symlink(join(path, "../../../../secret"), path)],
    ["a link to a file inside", (path) => symlink(join(dirname(path), "beside"), path)],
    ["another file", (path) => writeFile(path, secret)],
    ["another file by a hard link", (path) => link(join(dirname(path), "beside"), path)],
    ["a folder", (path) => mkdir(path)],
    ["a FIFO", async (path) => assert.equal((await run("mkfifo", path)).code, 0)],
  ];
  for (const [what, swap] of swaps) {
    for (const size of [20, 1_000_000]) {
      it(`is ${what}: what was checked is sent, or 404 (K5–K11, H62; ${size} bytes)`, async (t) => {
        const bytes = filmOf(size);
        let path = "";
        const {
          application,
          url,
          path: actual,
        } = await withFilm(t, {
          content: bytes,
          before: (app) =>
            app.use(async (_ctx, next) => {
              await next();
              await sleep(20);
            }),
          async beforeDownload() {
            await writeFile(join(dirname(path), "beside"), secret);
            await writeFile(join(path, "../../../../secret"), secret);
            await rm(path);
            await swap(path);
          },
        });
        path = actual;
        const { status, body } = await Promise.race([
          application.get(url),
          sleep(3000, undefined, { ref: false }),
        ]).then((answer) => answer ?? assert.fail("there was no answer within three seconds"));
        if (status === 200) assert.ok(body.equals(bytes));
        else assert.deepEqual([status, body.toString()], [404, "Not Found"]);
        assert.ok(!body.includes(secret));
        assert.equal((await application.get(url, { method: "POST" })).status, 405);
      });
    }
  }
}

function describeClients(withFilm: WithDelivery): void {
  it("leaves no descriptor behind when 4,000 leave: in the middle, before the headers, at a HEAD, and with a full socket", {
    skip: noProc,
  }, async (t) => {
    const { application, url } = await withFilm(t, { content: filmOf(2_000_000) });
    const leave = async (n: number) => {
      const socket = await openConnection(t, application.port);
      const method = n % 4 === 2 ? "HEAD" : "GET";
      socket.pause();
      socket.write(`${method} ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (n % 4 === 0) await once(socket.resume(), "data");
      if (n % 4 === 3) await sleep(2);
      socket.destroy();
    };
    for (let n = 0; n < 4_000; n += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => leave(n + k)));
    await eventually(() => assertHeld(application, 0));
    assert.equal((await application.get(url)).body.length, 2_000_000);
    const codes = new Set(application.errors.map((error) => (error as NodeJS.ErrnoException).code));
    for (const usual of ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]) codes.delete(usual);
    assert.deepEqual([...codes], []);
  });

  it("holds no file when it waits behind another request on a connection that closes", { skip: noProc }, async (t) => {
    const { application, url } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.pause();
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3));
    await eventually(() => assertHeld(application, 3));
    socket.destroy();
    await eventually(() => assertHeld(application, 0));
  });

  for (const [what, range] of [
    ["nothing", ""],
    ["nothing of a range", "Range: bytes=1-\r\n"],
  ]) {
    it(`takes ${what}: it is cut after stallTimeout, and its file let go of`, {
      skip: noProc,
    }, async (t) => {
      const { application, url } = await withFilm(t, { content: filmOf(30_000_000), stallTimeout: 0.4 });
      const socket = await openConnection(t, application.port);
      socket.pause();
      socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n${range}\r\n`);
      await eventually(() => assertHeld(application, 1));
      const start = Date.now();
      await eventually(() => assertHeld(application, 0));
      assert.ok(Date.now() - start > 200);
      assert.ok((await readAll(socket)).length < 30_000_000);
    });
  }

  it("takes little at a time, but takes it: it gets all, however much longer than stallTimeout that is", async (t) => {
    const { application, url } = await withFilm(t, { content: filmOf(30_000_000), stallTimeout: 2.5 });
    const start = Date.now();
    const [incoming] = (await once(request({ port: application.port, path: url }).end(), "response")) as [
      IncomingMessage,
    ];
    let length = 0;
    for await (const chunk of incoming) {
      length += (chunk as Buffer).length;
      if (Date.now() - start < 6000) await sleep(15);
    }
    assert.equal(length, 30_000_000);
    assert.ok(Date.now() - start > 5000);
  });

  it("may keep the connection for later requests as long as the server says, after a download", async (t) => {
    const { application, url } = await withFilm(t, { stallTimeout: 1 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const sockets = new Set<unknown>();
    for (let n = 0; n < 3; n++) {
      const outgoing = request({ port: application.port, path: url, agent }).end();
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      assert.equal((await readAll(incoming)).length, content.length);
      sockets.add(outgoing.socket);
      await sleep(1500);
    }
    assert.equal(sockets.size, 1);
  });

  for (const [stallTimeout, timeout, keepAliveTimeout, closes] of [
    [60, 0, 300, true],
    [60, 300, 0, true],
    [0.3, 0, 0, false],
  ] as const) {
    const kept = `timeout ${timeout} and keepAliveTimeout ${keepAliveTimeout}`;
    it(`has its connection ${closes ? "closed" : "kept"} by a server with ${kept}, after a download`, async (t) => {
      const { application, url } = await withFilm(t, {
        content: filmOf(100_000),
        before: setTimeouts({ timeout, keepAliveTimeout }),
        stallTimeout,
      });
      await application.get(url);
      const socket = await openConnection(t, application.port);
      let length = 0;
      socket.on("data", (chunk: Buffer) => {
        length += chunk.length;
      });
      socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(async () => assert.ok(length > 100_000));
      if (closes) await eventually(async () => assert.ok(socket.destroyed));
      else await sleep(1000);
      assert.equal(socket.destroyed, closes);
    });
  }
}

/** Sets the timeouts of the server that answers, for the connections to come. */
function setTimeouts(timeouts: Partial<Pick<Server, "timeout" | "keepAliveTimeout">>): (app: Koa) => void {
  return (app) =>
    app.use((ctx, next) => {
      Object.assign((ctx.req.socket as Socket & { server: Server }).server, timeouts);
      return next();
    });
}

async function assertHeld({ storage }: Application, count: number): Promise<void> {
  assert.equal((await descriptorsUnder(storage.root)).length, count);
}

function describeMiddleware(withFilm: WithDelivery): void {
  it("sets headers and cookies afterwards, as for any body of Koa", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        await sleep(20);
        ctx.set("X-Response-Time", "20ms");
        ctx.cookies.set("visits", "2");
      });
    const { application, url } = await withFilm(t, { before });
    for (const headers of [{}, { Range: "bytes=0-9" }]) {
      const answer = await application.get(url, { headers });
      assert.equal(answer.headers["x-response-time"], "20ms");
      assert.match(String(answer.headers["set-cookie"]), /^visits=2/);
    }
    assert.deepEqual(application.errors, []);
  });

  it("may take longer than stallTimeout before the answer begins", async (t) => {
    const before = (app: Koa) =>
      app.use(async (_ctx, next) => {
        await next();
        await sleep(500);
      });
    const { application, url } = await withFilm(t, { before, stallTimeout: 0.2 });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("finds room for its listeners: Node warns of more than ten", async (t) => {
    const counts: number[] = [];
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        const write = ctx.res.write.bind(ctx.res);
        ctx.res.write = (...all: unknown[]) => {
          setImmediate(() => counts.push(ctx.res.listenerCount("close")));
          return write(...(all as [Buffer]));
        };
        await next();
      });
    const { application, url } = await withFilm(t, { before });
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    t.after(() => process.off("warning", note));
    await application.get(url);
    assert.ok(counts.length > 10 && Math.max(...counts) <= 8, `there were ${Math.max(...counts)} listeners`);
    assert.deepEqual(warnings, []);
  });

  it("may pipe the body through a stream that changes it", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        ctx.remove("Content-Length");
        ctx.body = (ctx.body as Readable).pipe(new PassThrough());
      });
    const { application, url } = await withFilm(t, { before });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("may read the body as any stream", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        const chunks: Buffer[] = [];
        for await (const chunk of ctx.body as Readable) chunks.push(chunk as Buffer);
        ctx.body = Buffer.concat(chunks);
      });
    const { application, url } = await withFilm(t, { before });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("may throw the body away without leaving a descriptor behind", { skip: noProc }, async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        ctx.status = 200;
        ctx.body = "another body";
      });
    const { application, url } = await withFilm(t, { before });
    for (let n = 0; n < 50; n++) assert.equal((await application.get(url)).body.toString(), "another body");
    await eventually(() => assertHeld(application, 0));
  });
}
