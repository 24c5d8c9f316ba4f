import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer } from "node:http2";
import { type AddressInfo, connect as connectSocket, type Socket } from "node:net";
import { Duplex, pipeline, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { cutWhenStalled } from "../../../src/http/stall/response-stall.js";
import { takesLong } from "../../support/requirements.js";
import { describe, it, type TestContext } from "../../support/suite.js";

const onLinux = process.platform !== "linux" && "that only Linux can pass";

/** For how many seconds a response may stall. */
const STALL = 1.5;

/** As much as a client may be sent of a stream that it does not read: what browsers and curl allow. */
const LARGE_WINDOW = 6_000_000;

/** How many bytes a slow line takes at once, twenty times in a second. */
const LITTLE = 40_000;

describe("A response over HTTP/2", () => {
  it("is sent on while a slow line acknowledges a little, though it takes long until more can be written", {
    skip: onLinux || takesLong,
  }, async (t) => {
    const { socket, session } = await start(t, LARGE_WINDOW);
    const stream = ask(session).resume();
    socket.slow = true;
    // Linux's buffers grow for ten seconds until it asks for more too seldom.
    await Promise.race([sleep(18_000), once(stream, "close")]);
    assert.equal(stream.destroyed, false);
  });

  it("is cut when the line takes nothing", async (t) => {
    const { socket, session, closed } = await start(t, LARGE_WINDOW);
    ask(session).resume();
    await sleep(100);
    socket.stopped = true;
    await assertCut(closed);
  });

  it("is cut alone when the client takes nothing of it, however much of another one it takes", async (t) => {
    const { session, closed } = await start(t, 100_000);
    const other = ask(session).resume();
    await once(other, "data");
    const stream = ask(session).pause();
    await once(stream, "response");
    await assertCut(closed);
    assert.equal(other.destroyed, false);
    let more = false;
    other.once("data", () => {
      more = true;
    });
    await sleep(100);
    assert.ok(more);
  });
});

/** A connection whose reader can be slow, or stop. */
interface Line extends Duplex {
  slow: boolean;
  stopped: boolean;
}

async function start(t: TestContext, window: number) {
  const server = createServer();
  const ends: (() => void)[] = [];
  const closed = new Promise<void>((resolve) => ends.push(resolve));
  server.on("request", (req, res) => {
    cutWhenStalled({ req, res } as never, STALL);
    res.once("close", () => ends[0]!());
    pipeline(endless(), res, () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = lineOver(connectSocket((server.address() as AddressInfo).port, "127.0.0.1"));
  const session = connect("http://localhost", {
    createConnection: () => socket,
    settings: { initialWindowSize: window },
  });
  session.on("error", () => {});
  await once(session, "connect");
  session.setLocalWindowSize(2 ** 24);
  t.after(() => {
    session.destroy();
    socket.destroy();
    server.close();
  });
  return { session, socket, closed };
}

function ask(session: ClientHttp2Session): ClientHttp2Stream {
  return session.request().on("error", () => {});
}

function endless(): Readable {
  const chunk = Buffer.alloc(65_536);
  return new Readable({
    read() {
      this.push(chunk);
    },
  });
}

function lineOver(socket: Socket): Line {
  const line = new Duplex({
    read: () => void take(),
    write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  }) as Line;
  let isTaking = false;
  async function take(): Promise<void> {
    if (isTaking) return;
    isTaking = true;
    for (;;) {
      if (line.slow) await sleep(50);
      while (line.stopped && !socket.destroyed) await sleep(100);
      if (socket.destroyed) break;
      const chunk = socket.read(Math.min(line.slow ? LITTLE : 65_536, socket.readableLength));
      if (chunk === null || chunk.length === 0) await sleep(5);
      else if (!line.push(chunk)) break;
    }
    isTaking = false;
  }
  socket.on("error", () => {});
  return Object.assign(line, { slow: false, stopped: false });
}

async function assertCut(closed: Promise<void>): Promise<void> {
  const start = Date.now();
  await closed;
  const after = (Date.now() - start) / 1000;
  assert.ok(after > 0.9 * STALL && after < 1.9 * STALL, `after ${after} seconds`);
}
