import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, it, type TestContext } from "node:test";
import { openConnection } from "../../support/connection.js";
import { eventually } from "../../support/eventually.js";
import { filmOf, withFilm } from "../../support/film.js";

type Told = [hook: string, asked: string, store: string | undefined];

const context = new AsyncLocalStorage<string>();
const told: Told[] = [];

/** Notes which request a hook is told of, and of which one the context is. */
class Tracer {
  beforeDownload = note("beforeDownload");
  afterDownload = note("afterDownload");
  downloadDenied = note("downloadDenied");
}

beforeEach(() => {
  told.length = 0;
});

describe("the async context of a hook is that of its request", () => {
  it("on a connection that is kept for one request after the other", async (t) => {
    const { application, url } = await withTracer(t, 300_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    for (let n = 0; n < 10; n++) {
      const path = n % 3 === 0 ? url.replace("a.mp4", "b.mp4") : url;
      const outgoing = request({ port: application.port, path: `${path}?${n}`, agent }).end();
      const [incoming] = await once(outgoing, "response");
      incoming.resume();
      await once(incoming, "end");
    }
    await assertTold({ beforeDownload: 6, afterDownload: 6, downloadDenied: 4 });
  });

  it("of requests that come in one write", async (t) => {
    const { application, url } = await withTracer(t, 300_000);
    const socket = await openConnection(t, application.port);
    for (let n = 0; n < 20; n++) socket.write(`GET ${url}?${n} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.resume();
    await assertTold({ beforeDownload: 20, afterDownload: 20 });
  });

  it("when the client leaves in the middle", async (t) => {
    const { application, url } = await withTracer(t, 60_000_000);
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openConnection(t, application.port)));
    for (const [n, socket] of sockets.entries()) {
      socket.pause();
      socket.write(`GET ${url}?${n} HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    await assertTold({ beforeDownload: 10 });
    for (const socket of sockets) socket.destroy();
    await assertTold({ beforeDownload: 10, afterDownload: 10 });
  });

  it("on streams that share a connection of HTTP/2, sent or cut", async (t) => {
    const { application, url } = await withTracer(t, 3_000_000);
    const server = createServer(application.app.callback() as never).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(() => {
      client.destroy();
      server.close();
    });
    // What the streams that are cut have not read is left in the window of all.
    client.on("connect", () => client.setLocalWindowSize(100 * 1024 * 1024));
    for (let n = 0; n < 20; n++) {
      const stream = client.request({ ":path": `${url}?${n}` });
      stream.on("error", () => {});
      if (n % 2 === 0) stream.resume();
      else stream.once("response", () => stream.close(constants.NGHTTP2_CANCEL));
    }
    await assertTold({ beforeDownload: 20, afterDownload: 20 });
  });
});

/** Waits for so many calls of each hook, each of which found the context of its own request. */
async function assertTold(counts: Record<string, number>): Promise<void> {
  await eventually(() => {
    const found: Record<string, number> = {};
    for (const [hook] of told) found[hook] = (found[hook] ?? 0) + 1;
    assert.deepEqual(found, counts);
  });
  for (const [hook, asked, store] of told) assert.equal(store, asked, hook);
}

function note(hook: string) {
  return async ({ ctx }: { ctx: { querystring: string } }): Promise<void> => {
    await null;
    told.push([hook, ctx.querystring, context.getStore()]);
  };
}

/** A film, and a middleware that sets a context for each request. */
async function withTracer(t: TestContext, size: number) {
  const film = await withFilm(t, {
    content: filmOf(size),
    before: (app) => app.use((ctx, next) => context.run(ctx.querystring, next)),
  });
  film.application.dataSource.subscribers.push(new Tracer() as object);
  return film;
}
