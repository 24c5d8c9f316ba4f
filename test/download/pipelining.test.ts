import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openConnection, readAll } from "../support/connection.js";
import { eventually } from "../support/eventually.js";
import { Film, filmOf, type WithFilm, withFilm } from "../support/film.js";
import { startServer } from "../support/film-process.js";
import { descriptorsUnder } from "../support/storage-disk.js";
import { describe, it, type TestContext } from "../support/suite.js";

/** More than the buffers of a connection hold. */
const large = filmOf(30_000_000);
const noProc = process.platform === "linux" ? false : "this system does not list descriptors in /proc";

describe("3,000 requests for a large film on one connection that is never read", () => {
  it("take a few descriptors of a process that has 100, and others are served meanwhile", {
    skip: noProc,
  }, async (t) => {
    const film = await startServer(t, { size: 50_000_000, delivery: "streamDelivery", limit: 100 });
    const before = await film.status();
    const socket = await film.connect();
    socket.write(`GET ${film.url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3_000));
    await sleep(1000);
    assert.match((await film.take("bytes=-1000")).toString("latin1"), /^HTTP\/1\.1 206 /);
    const { descriptors } = await film.status();
    // The connection, and the film that is sent on it.
    assert.ok(descriptors <= before.descriptors + 4, `${descriptors - before.descriptors} descriptors`);
    socket.destroy();
    await eventually(async () => assert.ok((await film.status()).descriptors <= before.descriptors + 2));
  });

  it("open the film once for each response that is sent, and leave nothing when the client leaves", {
    skip: noProc,
  }, async (t) => {
    const { application, socket, opened } = await withPipeline(t, { content: large }, 3_000);
    await eventually(async () => assert.equal((await descriptorsUnder(application.storage.root)).length, 1));
    await sleep(200);
    assert.equal(opened(), 1);
    socket.destroy();
    await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
    await sleep(100);
    assert.equal(opened(), 1);
    // Koa tells of the one that was being sent, and of no other.
    assert.ok(application.errors.length <= 2);
  });
});

describe("a pipelined download", () => {
  it("comes in its turn and whole, among refusals, ranges and answers of others", async (t) => {
    const content = filmOf(300_000);
    const { application, url } = await withFilm(t, { content });
    const socket = await openConnection(t, application.port);
    const received = readAll(socket);
    const get = (path: string, header = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n`;
    const missing = url.replace(/\/\d+\//, "/99/");
    const batch = get(url) + get(missing) + get(url, "Range: bytes=7-9\r\n") + get("/elsewhere");
    socket.write(batch.repeat(100) + get(url, "Connection: close\r\n"));
    let rest = (await received) as Buffer;
    const next = (status: number, length: number, body?: Buffer) => {
      const end = rest.indexOf("\r\n\r\n") + 4;
      const head = rest.subarray(0, end).toString("latin1");
      assert.ok(head.startsWith(`HTTP/1.1 ${status} `), head);
      assert.match(head, new RegExp(`\\r\\nContent-Length: ${length}\\r\\n`));
      if (body) assert.ok(rest.subarray(end, end + length).equals(body));
      rest = rest.subarray(end + length);
    };
    for (let n = 0; n < 100; n++) {
      next(200, content.length, content);
      next(404, 9);
      next(206, 3, content.subarray(7, 10));
      next(404, 9);
    }
    next(200, content.length, content);
    assert.equal(rest.length, 0);
  });

  it("may wait longer than the timeout for its turn", async (t) => {
    const { socket, opened } = await withPipeline(t, { content: large, options: { timeout: 0.1 } }, 2);
    await sleep(500);
    assert.equal(opened(), 1);
    assert.deepEqual(await statusesOf(socket, 2), ["200", "200"]);
  });

  it("is decided when its turn comes: a row that was removed meanwhile is 404", async (t) => {
    const { application, socket } = await withPipeline(t, { content: large }, 3);
    await eventually(async () => assert.equal((await descriptorsUnder(application.storage.root)).length, 1));
    await application.dataSource.manager.clear(Film);
    assert.deepEqual(await statusesOf(socket, 3), ["200", "404", "404"]);
  });
});

describe("a client that never stops sending requests", () => {
  it("is not read while 100 responses wait, however slowly it takes the film", async (t) => {
    let requests = 0;
    const { application, url } = await withFilm(t, {
      content: filmOf(100_000_000),
      before: (app) =>
        app.use((_ctx, next) => {
          requests++;
          return next();
        }),
    });
    const socket = await openConnection(t, application.port);
    const batch = Buffer.from(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(500));
    const write = () => {
      while (socket.write(batch));
      socket.once("drain", write);
    };
    write();
    let taken = 0;
    socket.on("data", (chunk) => {
      taken += chunk.length;
    });
    while (taken < 90_000_000) {
      // What one read from a socket brings, at most 64 KiB, is passed on as a whole.
      assert.ok(requests < 5_000, `${requests} requests`);
      await sleep(20);
    }
    socket.destroy();
  });

  it("gets every response that it reads, also of more requests than may wait", async (t) => {
    const { application, url } = await withFilm(t, { content: Buffer.from("small") });
    const socket = await openConnection(t, application.port);
    const received = readAll(socket);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1_000));
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const text = ((await received) as Buffer).toString("latin1");
    assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 1_001);
    assert.equal(text.match(/\r\n\r\nsmall/g)?.length, 1_001);
  });
});

/** An application, and a connection that has sent many requests for its film and reads nothing. */
async function withPipeline(t: TestContext, options: WithFilm, count: number) {
  const { application, url } = await withFilm(t, options);
  let opened = 0;
  const open = application.storage.open.bind(application.storage);
  application.storage.open = (key) => {
    opened++;
    return open(key);
  };
  const socket: Socket = await openConnection(t, application.port);
  socket.pause();
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(count));
  return { application, socket, opened: () => opened };
}

/** The statuses of the next responses on a connection. */
async function statusesOf(socket: Socket, count: number): Promise<string[]> {
  const statuses: string[] = [];
  let tail = "";
  socket.on("data", (chunk: Buffer) => {
    tail += chunk.toString("latin1");
    statuses.push(...[...tail.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!));
    tail = tail.slice(-12).replace(/^.*HTTP\/1\.1 \d{3} /s, "");
  });
  socket.resume();
  await eventually(async () => assert.ok(statuses.length >= count, `${statuses}`));
  return statuses;
}
