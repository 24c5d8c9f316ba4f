import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, readdir, rm, truncate } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, type Storage } from "typeorm-private-files";
import { type Application, changeOpened, type StartOptions, startApplication } from "../support/application.js";
import { openConnection, readAll } from "../support/connection.js";
import { eventually } from "../support/eventually.js";

@Entity()
class Film {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "films", condition: () => true }) file!: PrivateFile;
}

/** Descriptors are counted where the system lists them. */
const noProc = process.platform === "linux" ? false : "this system does not list descriptors in /proc";
const content = Buffer.from(Array.from({ length: 8_000_000 }, (_, index) => (index * 7 + (index >> 8)) % 251));

describe("streamDelivery", () => {
  it("sends exactly the promised bytes of a file that grows meanwhile: the next answer on the connection is whole", async (t) => {
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

  it("cuts the connection when a file is shorter than promised, and reports it", async (t) => {
    const { application, url, path } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\nGET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "readable");
    await truncate(path, 5_000_000);
    const received = await readAll(socket);
    const bodyStart = received.indexOf("\r\n\r\n") + 4;
    assert.ok(received.length - bodyStart < content.length);
    assert.ok(!received.subarray(bodyStart).includes("HTTP/1.1"));
    assert.ok(
      application.errors.some((error) => /became shorter/.test(error.message)),
      String(application.errors),
    );
  });

  it("lets go of a file for a request that waits behind another one on a connection that closes", async (t) => {
    const { application, url } = await withFilm(t);
    let held = 0;
    changeOpened(application, (object) => {
      held++;
      const close = async () => {
        held--;
        await object.close();
      };
      return { close };
    });
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3));
    await eventually(async () => assert.equal(held, 3));
    socket.destroy();
    await eventually(async () => assert.equal(held, 0));
  });

  it("sends all of a file that is deleted meanwhile", async (t) => {
    const { application, url, path } = await withFilm(t);
    const [incoming] = (await once(request({ port: application.port, path: url }).end(), "response")) as [
      IncomingMessage,
    ];
    await rm(path);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    assert.ok(Buffer.concat(chunks).equals(content));
    assert.equal((await application.get(url)).status, 404);
  });

  it("leaks no descriptor, and brings no process down, when 300 clients leave in the middle", {
    skip: noProc,
  }, async (t) => {
    const { application, url } = await withFilm(t);
    await application.get(url);
    const before = await descriptors();
    for (let i = 0; i < 300; i++) {
      const outgoing = request({ port: application.port, path: url, agent: false }).end();
      outgoing.on("error", () => {});
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      incoming.on("error", () => {});
      if (i % 3 === 0) await once(incoming, "data");
      incoming.destroy();
    }
    await eventually(async () => assert.ok((await descriptors()) <= before + 2, `${await descriptors()} of ${before}`));
    assert.ok((await application.get(url)).body.equals(content));
    const codes = new Set(application.errors.map((error) => (error as NodeJS.ErrnoException).code));
    for (const usual of ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]) codes.delete(usual);
    assert.deepEqual([...codes], []);
  });

  it("reads no further than the client takes", async (t) => {
    const { application, url } = await withFilm(t, { size: 300_000_000 });
    const read: number[] = [];
    changeOpened(application, (object) => ({
      read(buffer, position) {
        read.push(buffer.byteLength);
        return object.read(buffer, position);
      },
    }));
    const outgoing = request({ port: application.port, path: url, agent: false }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    incoming.pause();
    await sleep(300);
    const total = read.reduce((sum, length) => sum + length, 0);
    incoming.destroy();
    assert.ok(total < 30_000_000, `${total} bytes were read for a client that takes none`);
  });

  it("lets middleware around it set headers and cookies afterwards, as for any body of Koa", async (t) => {
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

  it("leaves room for the listeners of other middleware: Node warns of more than ten", async (t) => {
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

  it("may be piped by middleware that changes the body", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        ctx.remove("Content-Length");
        ctx.body = (ctx.body as Readable).pipe(new PassThrough());
      });
    const { application, url } = await withFilm(t, { before });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("may be read by middleware as any stream", async (t) => {
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
});

describe("streamDelivery from a storage that can't hold an object open", () => {
  it("sends whole files and ranges, asking for the very object that was described", async (t) => {
    const asked: unknown[] = [];
    const { application, url } = await withFilm(t, {
      streamed: (range) => {
        asked.push(range);
        return content.subarray(range.start, range.end + 1);
      },
    });
    assert.ok((await application.get(url)).body.equals(content));
    const part = await application.get(url, { headers: { Range: "bytes=1000-4999999" } });
    assert.ok(part.body.equals(content.subarray(1000, 5_000_000)));
    const [{ of, ...first }, second] = asked as [{ of: { size: number } }, { start: number; end: number }];
    assert.equal(of.size, content.length);
    assert.deepEqual(
      [first, second.start, second.end],
      [{ start: 0, end: content.length - 1, signal: (first as { signal: unknown }).signal }, 1000, 4_999_999],
    );
  });

  it("sends no byte more than promised when the storage gives more", async (t) => {
    const { application, url } = await withFilm(t, { streamed: (range) => content.subarray(range.start) });
    const part = await application.get(url, { headers: { Range: "bytes=0-4999999" } });
    assert.ok(part.body.equals(content.subarray(0, 5_000_000)));
    assert.equal((await application.get(url, { headers: { Range: "bytes=0-9" } })).body.length, 10);
  });

  it("cuts the connection when the storage gives less", async (t) => {
    const { application, url } = await withFilm(t, { streamed: () => content.subarray(0, 4_000_000) });
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    assert.match(String(application.errors), /the object ended 4000000 bytes early/);
  });

  it("answers 500 when the storage fails before the first byte", async (t) => {
    const { application, url } = await withFilm(t, {
      streamed: () => {
        throw new Error("AccessDenied: bucket-1");
      },
    });
    const answer = await application.get(url);
    assert.deepEqual([answer.status, answer.body.toString()], [500, "Internal Server Error"]);
  });

  it("tells the storage when the client leaves before the storage gave a byte", async (t) => {
    let signal: AbortSignal | undefined;
    const { application, url } = await withFilm(t, {
      streamed: (range) => {
        ({ signal } = range as unknown as { signal: AbortSignal });
        const silent = new Readable({ read() {} });
        signal.addEventListener("abort", () => silent.destroy());
        return silent;
      },
    });
    const outgoing = request({ port: application.port, path: url, agent: false }).end();
    outgoing.on("error", () => {});
    await eventually(async () => assert.ok(signal));
    outgoing.destroy();
    await eventually(async () => assert.ok(signal?.aborted));
  });

  it("stops reading the storage when the client leaves", async (t) => {
    let destroyed = false;
    const { application, url } = await withFilm(t, {
      streamed: () => {
        const endless = new Readable({
          read() {
            setTimeout(() => this.push(Buffer.alloc(65_536)), 1);
          },
        });
        return endless.on("close", () => {
          destroyed = true;
        });
      },
    });
    const outgoing = request({ port: application.port, path: url, agent: false }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    incoming.destroy();
    await eventually(async () => assert.ok(destroyed));
  });
});

interface WithFilm extends Partial<StartOptions> {
  size?: number;
  /** Serves the film from a storage without `open`, whose `read` gives this. */
  streamed?: (range: { start: number; end: number }) => Buffer | Readable;
}

async function withFilm(t: TestContext, { size, streamed, ...options }: WithFilm = {}) {
  const application = await startApplication({ entities: [Film], ...options });
  t.after(() => application.close());
  const film = application.dataSource.manager.create(Film, {});
  await application.files.attach(film, "file", size ? Buffer.alloc(size) : content, { filename: "a.mp4" });
  await application.dataSource.manager.save(film);
  if (streamed) withoutOpen(application, streamed);
  const path = application.storage.path(film.file.key);
  return { application, url: application.files.url(film, "file"), path };
}

function withoutOpen({ storage }: Application, read: NonNullable<WithFilm["streamed"]>): void {
  const replaced = storage as Storage;
  replaced.open = undefined;
  replaced.read = async (_key, options) => {
    const given = read(options as never);
    return given instanceof Readable
      ? given
      : Readable.from([given.subarray(0, 100), given.subarray(100)], { objectMode: false });
  };
}

async function descriptors(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}
