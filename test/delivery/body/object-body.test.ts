import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ObjectBody } from "../../../src/delivery/body/object-body.js";
import type { Chunks } from "../../../src/delivery/body/piece-source.js";

const chunks = [Buffer.from("one "), Buffer.from("two "), Buffer.from("three")];

describe("ObjectBody.pipe", () => {
  it("writes all chunks, ends the destination, and then itself", async () => {
    const { destination, written } = collector();
    const body = new ObjectBody(source());
    body.pipe(destination);
    await Promise.all([once(destination, "finish"), once(body, "end")]);
    assert.equal(Buffer.concat(written).toString(), "one two three");
    assert.equal(body.bytesSent, 13);
  });

  it("leaves the destination open with end: false, as pipeline asks for", async () => {
    const { destination } = collector();
    const body = new ObjectBody(source());
    body.pipe(destination, { end: false });
    await once(body, "end");
    assert.equal(destination.writableEnded, false);
  });

  it("loses no chunk to others who want to see it flow", async () => {
    const { destination, written, release } = collector(1);
    const body = new ObjectBody(source());
    body.pipe(destination);
    body.resume();
    await turn();
    release();
    await once(destination, "finish");
    assert.equal(Buffer.concat(written).toString(), "one two three");
  });

  it("takes the next chunk only when the destination took the one before", async () => {
    const taken: number[] = [];
    const { destination, release } = collector(1);
    new ObjectBody(source((index) => taken.push(index))).pipe(destination);
    await turn();
    await turn();
    assert.deepEqual(taken, [0]);
    release();
    await once(destination, "finish");
    assert.deepEqual(taken, [0, 1, 2]);
  });

  it("cuts the destination when the chunks fail, whoever pipes it: what was promised can't be sent", async () => {
    const { destination } = collector();
    const body = new ObjectBody(source((index) => assert.notEqual(index, 2)));
    body.pipe(destination);
    await once(destination, "close");
    assert.equal(destination.writableFinished, false);
    assert.ok(body.destroyed && body.errored);
  });

  it("cuts the destination when it is destroyed itself: what ends there would pass for the whole", async () => {
    const { destination } = collector();
    const body = new ObjectBody(source());
    body.pipe(destination);
    body.destroy();
    await once(destination, "close");
    assert.equal(destination.writableFinished, false);
  });

  it("lets go of the chunks when the destination closes", async () => {
    let released = false;
    const { destination } = collector(1);
    const endless = (async function* () {
      try {
        for (;;) yield chunks[0]!;
      } finally {
        released = true;
      }
    })();
    new ObjectBody(endless).pipe(destination);
    await turn();
    destination.destroy();
    await once(destination, "close");
    await turn();
    assert.equal(released, true);
  });

  it("does not end a response that was cut: it would pass for one that was sent", async (t) => {
    const server = createServer((_, res) => {
      new ObjectBody(endless()).pipe(res);
      setTimeout(() => res.destroy(), 100);
    }).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const client = get({ port: (server.address() as AddressInfo).port, agent: false }).on("error", () => {});
    t.after(() => client.destroy());
    const [, res] = (await once(server, "request")) as [unknown, ServerResponse];
    await once(res, "close");
    assert.equal(res.writableFinished, false);
  });
});

describe("ObjectBody", () => {
  it("gives the same bytes to whoever reads it as a stream", async () => {
    const body = new ObjectBody(source());
    assert.equal((await buffer(body)).toString(), "one two three");
    assert.equal(body.bytesSent, 13);
  });

  it("takes no chunk ahead for whoever reads it as a stream", async () => {
    const taken: number[] = [];
    const body = new ObjectBody(source((index) => taken.push(index)));
    const reader = body[Symbol.asyncIterator]();
    assert.equal(String((await reader.next()).value), "one ");
    await turn();
    await turn();
    assert.deepEqual(taken, [0]);
    await reader.return?.();
  });

  it("takes no chunk before it is piped or read, and lets go of them when it is destroyed", async () => {
    const taken: number[] = [];
    const body = new ObjectBody(source((index) => taken.push(index)));
    await turn();
    body.destroy();
    await once(body, "close");
    assert.deepEqual(taken, []);
  });

  it("closes with the error that it was destroyed with, although letting go of the chunks fails", async () => {
    const failing = (async function* () {
      try {
        yield chunks[0]!;
      } finally {
        assert.fail("it can't be closed");
      }
    })();
    const body = await ObjectBody.started(failing);
    const error = new Error("the client left");
    body.destroy(error);
    assert.deepEqual(await once(body, "error"), [error]);
  });

  it("fails as a stream when the chunks fail", async () => {
    const failing = source((index) => assert.notEqual(index, 1, "the disk is dead"));
    await assert.rejects(buffer(new ObjectBody(failing)), /the disk is dead/);
  });
});

describe("ObjectBody hands a chunk's memory back", () => {
  it("once its write called back, where it goes straight to a socket", async (t) => {
    const { spent } = await sent(t, createServer());
    assert.deepEqual(spent, chunks);
  });

  it("never where something has taken the place of the response's write, which may keep it", async (t) => {
    const { spent } = await sent(t, createServer(), (res) => {
      const write = res.write.bind(res) as (...all: unknown[]) => boolean;
      res.write = (...all: unknown[]) => write(...all);
    });
    assert.deepEqual(spent, [undefined, undefined, undefined]);
  });

  it("never where something has taken the place of the socket's write", async (t) => {
    const { spent } = await sent(t, createServer(), ({ socket }) => {
      const write = socket!.write.bind(socket) as (...all: unknown[]) => boolean;
      socket!.write = (...all: unknown[]) => write(...all);
    });
    assert.deepEqual(spent, [undefined, undefined, undefined]);
  });

  it("never to a stream in between", async () => {
    const { source, spent } = recorder();
    await buffer(new ObjectBody(source).pipe(new PassThrough()));
    assert.deepEqual(spent, [undefined, undefined, undefined]);
  });

  it("never over HTTP/2, whose streams wait in a buffer of their own", async (t) => {
    const { source, spent } = recorder();
    const server = createHttp2Server((_, res) => new ObjectBody(source).pipe(res)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(() => {
      client.close();
      server.close();
    });
    assert.equal((await buffer(client.request({ ":path": "/" }))).toString(), "one two three");
    assert.deepEqual(spent, [undefined, undefined, undefined]);
  });

  async function sent(t: TestContext, server: Server, change: (res: ServerResponse) => void = () => {}) {
    const { source, spent } = recorder();
    server.on("request", (_, res) => {
      change(res);
      new ObjectBody(source).pipe(res);
    });
    server.listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const [answer] = await once(get({ port: (server.address() as AddressInfo).port, agent: false }), "response");
    assert.equal((await buffer(answer)).toString(), "one two three");
    return { spent };
  }

  /** Chunks, and what came back for each. */
  function recorder() {
    const spent: unknown[] = [];
    async function* give(): Chunks {
      for (const chunk of chunks) spent.push(yield chunk);
    }
    return { source: give(), spent };
  }
});

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (;;) yield Buffer.alloc(65_536);
}

async function* source(taking: (index: number) => void = () => {}): AsyncGenerator<Uint8Array, void> {
  for (const [index, chunk] of chunks.entries()) {
    taking(index);
    yield chunk;
  }
}

/** A destination that keeps what it gets; with a high-water mark of 1 it takes a chunk only after `release`. */
function collector(highWaterMark?: number) {
  const written: Buffer[] = [];
  let held = highWaterMark !== undefined;
  let waiting: (() => void) | undefined;
  const destination = new Writable({
    highWaterMark,
    write(chunk, _encoding, done) {
      written.push(chunk);
      if (held) waiting = done;
      else done();
    },
  });
  const release = () => {
    held = false;
    waiting?.();
  };
  return { destination, written, release };
}
