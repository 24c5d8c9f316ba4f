import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { ConfigurationError, type Storage, streamDelivery } from "typeorm-private-files";
import { describeDelivery } from "typeorm-private-files/testing";
import { chunkBudget } from "../../src/delivery/body/chunk-budget.js";
import { changeOpened } from "../support/application.js";
import { openConnection } from "../support/connection.js";
import { eventually } from "../support/eventually.js";
import { filmOf, withFilm } from "../support/film.js";
import { all } from "../support/requirements.js";
import { descriptorsUnder, ioError } from "../support/storage-disk.js";

const content = filmOf(8_000_000);

describeDelivery("streamDelivery", streamDelivery, { thorough: all });

describe("streamDelivery", () => {
  it("reads no further than the client takes", async (t) => {
    const { application, url } = await withFilm(t, { content: Buffer.alloc(300_000_000, 1) });
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
    assert.deepEqual(new Set(read), new Set([262_144]), "it is read in large chunks");
  });

  it("sends a file that is read in pieces of any size, and asks for no byte beyond the range", async (t) => {
    const { application, url } = await withFilm(t);
    const asked: number[] = [];
    changeOpened(application, (object) => ({
      read(buffer, position) {
        asked.push(position + buffer.byteLength);
        return object.read(buffer.subarray(0, 99_999), position);
      },
    }));
    const part = await application.get(url, { headers: { Range: "bytes=1000-999999" } });
    assert.ok(part.body.equals(filmOf(8_000_000).subarray(1000, 1_000_000)));
    assert.equal(Math.max(...asked), 1_000_000);
  });

  it("cuts the connection when an open file ends early without an error", async (t) => {
    const { application, url } = await withFilm(t);
    changeOpened(application, (object) => ({
      read: async (buffer, position) => (position < 3_000_000 ? object.read(buffer, position) : 0),
    }));
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    await eventually(async () => assert.match(String(application.errors), /the object ended \d+ bytes early/));
  });

  for (const [size, isBuffer, isWhole] of [
    [16_384, true, true],
    [16_385, false, true],
    [65_536, false, true],
    [262_144, false, true],
    [262_145, false, false],
  ] as const) {
    it(`sends ${size} bytes ${isWhole ? "in one write with the headers, and lets go of the file before" : "as they are read"}`, async (t) => {
      const bodies: unknown[] = [];
      const held: number[] = [];
      let writes = 0;
      const before = (app: Koa) =>
        app.use(async (ctx, next) => {
          const socket = ctx.req.socket as unknown as Record<string, (...all: unknown[]) => void>;
          for (const method of ["_write", "_writev"]) {
            const write = socket[method]!;
            socket[method] = (...all) => {
              writes++;
              write.apply(socket, all);
            };
          }
          await next();
          bodies.push(Buffer.isBuffer(ctx.body));
          held.push((await descriptorsUnder(application.storage.root)).length);
        });
      const { application, url } = await withFilm(t, { content: filmOf(size), before });
      const { body } = await application.get(url);
      assert.ok(body.equals(filmOf(size)));
      assert.deepEqual([bodies, writes === 1], [[isBuffer], isWhole]);
      if (process.platform === "linux") assert.deepEqual(held, [isWhole ? 0 : 1]);
    });
  }

  it("holds no body whole in memory when many are", async (t) => {
    const bodies: unknown[] = [];
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        bodies.push(Buffer.isBuffer(ctx.body));
      });
    const { application, url } = await withFilm(t, { content: filmOf(60_000), before });
    const others = takeAll();
    const { body } = await application.get(url);
    for (const size of others) chunkBudget.giveBack(size);
    assert.ok(body.equals(filmOf(60_000)));
    assert.deepEqual(bodies, [false]);
  });

  it("takes its part of the memory that chunks may have, and gives all of it back", async (t) => {
    const large = await withFilm(t, { content: Buffer.alloc(30_000_000) });
    const small = await withFilm(t, { content: filmOf(60_000) });
    for (let n = 0; n < 3; n++) {
      await large.application.get(large.url);
      await small.application.get(small.url);
    }
    await eventually(async () => assert.equal(chunkBudget.out, 0));
    const outgoing = request({ port: large.application.port, path: large.url, agent: false }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    await eventually(async () => assert.equal(chunkBudget.out, 256 * 1024));
    incoming.destroy();
    await eventually(async () => assert.equal(chunkBudget.out, 0));
    changeOpened(large.application, () => ({ read: () => Promise.reject(ioError("EIO")) }));
    assert.equal((await large.application.get(large.url)).status, 500);
    assert.equal(chunkBudget.out, 0);
  });

  it("gives it back, too, where downloads wait behind another one on a connection that closes", async (t) => {
    const { application, url } = await withFilm(t);
    await eventually(async () => assert.equal(chunkBudget.out, 0));
    const socket = await openConnection(t, application.port);
    socket.pause();
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3));
    // The others wait for their turn, and hold nothing.
    await eventually(async () => assert.equal(chunkBudget.out, 256 * 1024));
    socket.destroy();
    await eventually(async () => assert.equal(chunkBudget.out, 0));
  });

  it("cuts the connection, lets go of the file and tells the application when the disk fails in the middle", async (t) => {
    const { application, url } = await withFilm(t);
    let closed = false;
    changeOpened(application, (object) => ({
      read: (buffer, position) =>
        position < 3_000_000 ? object.read(buffer, position) : Promise.reject(ioError("EIO")),
      async close() {
        closed = true;
        await object.close();
      },
    }));
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    await eventually(async () => assert.ok(closed));
    await eventually(async () => assert.match(String(application.errors), /EIO/));
  });

  for (const stallTimeout of [0, -1, Number.NaN, 86_401, Number.POSITIVE_INFINITY]) {
    it(`refuses a stallTimeout of ${stallTimeout}`, () => {
      assert.throws(() => streamDelivery({ stallTimeout }), ConfigurationError);
    });
  }
});

describe("streamDelivery from a storage that can't hold an object open", () => {
  it("sends whole files and ranges, asking for the very object that was described", async (t) => {
    const asked: unknown[] = [];
    const { application, url } = await withStreamed(t, (range) => {
      asked.push(range);
      return content.subarray(range.start, range.end + 1);
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
    const { application, url } = await withStreamed(t, (range) => content.subarray(range.start));
    const part = await application.get(url, { headers: { Range: "bytes=0-4999999" } });
    assert.ok(part.body.equals(content.subarray(0, 5_000_000)));
    assert.equal((await application.get(url, { headers: { Range: "bytes=0-9" } })).body.length, 10);
  });

  it("cuts the connection when the storage gives less", async (t) => {
    const { application, url } = await withStreamed(t, () => content.subarray(0, 4_000_000));
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    await eventually(async () => assert.match(String(application.errors), /the object ended 4000000 bytes early/));
  });

  it("sends several ranges, each as one reading of the very object", async (t) => {
    const asked: string[] = [];
    const { application, url } = await withStreamed(t, ({ start, end }) => {
      asked.push(`${start}-${end}`);
      return content.subarray(start);
    });
    for (const last of [7_000_000, 20]) {
      const { status, headers, body } = await application.get(url, { headers: { Range: `bytes=0-9,15-${last},-5` } });
      assert.deepEqual([status, headers["content-length"]], [206, String(body.length)]);
      assert.ok(body.includes(content.subarray(15, last + 1)) && body.includes(content.subarray(-5)));
    }
    assert.deepEqual(asked, ["0-9", "15-7000000", "7999995-7999999", "0-9", "15-20", "7999995-7999999"]);
  });

  it("cuts the connection when the storage gives no more for stallTimeout, and lets go of it", async (t) => {
    const half = Readable.from(
      (async function* () {
        yield content.subarray(0, 4_000_000);
        await new Promise(() => {});
      })(),
      { objectMode: false },
    );
    const { application, url } = await withStreamed(t, () => half, streamDelivery({ stallTimeout: 0.3 }));
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    await eventually(async () => assert.ok(half.destroyed));
  });

  it("answers 500 when the storage fails before the first byte of several ranges", async (t) => {
    const { application, url } = await withStreamed(
      t,
      () =>
        new Readable({
          read() {
            this.destroy(ioError("EIO"));
          },
        }),
    );
    const answer = await application.get(url, { headers: { Range: "bytes=0-9,100-5000000" } });
    assert.deepEqual([answer.status, answer.headers["content-type"]], [500, "text/plain; charset=utf-8"]);
  });

  it("answers 500 when the storage fails before the first byte", async (t) => {
    const { application, url } = await withStreamed(t, () => {
      throw new Error("AccessDenied: bucket-1");
    });
    const answer = await application.get(url);
    assert.deepEqual([answer.status, answer.body.toString()], [500, "Internal Server Error"]);
  });

  for (const [what, change] of [
    ["removed", (path: string) => rm(path)],
    ["replaced", (path: string) => writeFile(path, "another one's")],
  ] as const) {
    it(`answers 404 when the object is ${what} between the look at it and its reading, and the storage fails`, async (t) => {
      for (const lazy of [false, true]) {
        const { application, url, path } = await withStreamed(t, async () => {
          await change(path);
          const failure = new Error("NoSuchKey: bucket-1");
          if (!lazy) throw failure;
          return new Readable({
            read() {
              this.destroy(failure);
            },
          });
        });
        const answer = await application.get(url);
        assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
        assert.match(String((application.errors[0]!.cause as Error).cause), /NoSuchKey/);
      }
    });
  }

  it("tells the storage when the client leaves before the storage gave a byte", async (t) => {
    let signal: AbortSignal | undefined;
    const { application, url } = await withStreamed(t, (range) => {
      ({ signal } = range as unknown as { signal: AbortSignal });
      const silent = new Readable({ read() {} });
      signal.addEventListener("abort", () => silent.destroy());
      return silent;
    });
    const outgoing = request({ port: application.port, path: url, agent: false }).end();
    outgoing.on("error", () => {});
    await eventually(async () => assert.ok(signal));
    outgoing.destroy();
    await eventually(async () => assert.ok(signal?.aborted));
  });

  it("stops reading the storage when the client leaves", async (t) => {
    let destroyed = false;
    const { application, url } = await withStreamed(t, () => {
      const endless = new Readable({
        read() {
          setTimeout(() => this.push(Buffer.alloc(65_536)), 1);
        },
      });
      return endless.on("close", () => {
        destroyed = true;
      });
    });
    const outgoing = request({ port: application.port, path: url, agent: false }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    incoming.destroy();
    await eventually(async () => assert.ok(destroyed));
  });
});

/** Takes all large chunks that are left. */
function takeAll(): number[] {
  const sizes: number[] = [];
  while (sizes.at(-1) !== 16 * 1024) sizes.push(chunkBudget.take(1_000_000));
  return sizes;
}

/** Serves the film from a storage without `open`, whose `read` gives this. */
async function withStreamed(
  t: TestContext,
  read: (range: { start: number; end: number }) => Buffer | Readable | Promise<Readable>,
  delivery = streamDelivery(),
) {
  const { application, url, path } = await withFilm(t, { content, options: { delivery } });
  const storage: Storage = application.storage;
  storage.open = undefined;
  storage.read = async (_key, options) => {
    const given = await read(options as never);
    return given instanceof Readable
      ? given
      : Readable.from([given.subarray(0, 100), given.subarray(100)], { objectMode: false });
  };
  return { application, url, path };
}
