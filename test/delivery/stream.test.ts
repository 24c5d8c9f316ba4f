import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, type Storage, streamDelivery } from "typeorm-private-files";
import { changeOpened } from "../support/application.js";
import { describeDelivery } from "../support/delivery-contract.js";
import { eventually } from "../support/eventually.js";
import { filmOf, withFilm } from "../support/film.js";
import { ioError } from "../support/storage-disk.js";

const content = filmOf(8_000_000);

describeDelivery("streamDelivery", streamDelivery);

describe("streamDelivery", () => {
  it("reads no further than the client takes", async (t) => {
    const { application, url } = await withFilm(t, { content: Buffer.alloc(300_000_000) });
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

  it("cuts the connection, lets go of the file and tells the application when the disk fails in the middle (H63)", async (t) => {
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
    it(`answers 404 when the object is ${what} between the look at it and its reading, and the storage fails (K5, H62)`, async (t) => {
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

/** Serves the film from a storage without `open`, whose `read` gives this. */
async function withStreamed(
  t: TestContext,
  read: (range: { start: number; end: number }) => Buffer | Readable | Promise<Readable>,
) {
  const { application, url, path } = await withFilm(t, { content });
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
