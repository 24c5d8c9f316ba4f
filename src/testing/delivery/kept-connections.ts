import assert from "node:assert/strict";
import { Agent, type Server } from "node:http";
import type { Socket } from "node:net";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { openConnection, readAll } from "../fixture/connection.js";
import { eventually } from "../fixture/eventually.js";
import { content, filmOf } from "../fixture/film.js";
import { begin } from "../fixture/http-client.js";
import type { Subject } from "./subject.js";

/** Connections after a download: the server decides when they close, and `stallTimeout` has no say in it. */
export function describeKeptConnections({ withFilm, thorough }: Subject): void {
  const [requests, stallTimeout] = thorough ? [3, 1] : [2, 0.4];
  it("is kept for later requests, also longer than stallTimeout", async (t) => {
    const { application, url } = await withFilm(t, { stallTimeout });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const sockets = new Set<unknown>();
    for (let n = 0; n < requests; n++) {
      if (n > 0) await sleep(1.5 * stallTimeout * 1000);
      const incoming = await begin(application.port, url, { agent });
      sockets.add(incoming.socket);
      assert.equal((await readAll(incoming)).length, content.length);
    }
    assert.equal(sockets.size, 1);
  });

  for (const [stallTimeout, timeout, keepAliveTimeout, closes] of [
    [60, 0, 300, true],
    [60, 300, 0, true],
    [0.3, 0, 0, false],
  ] as const) {
    const server = `a server with timeout ${timeout} and keepAliveTimeout ${keepAliveTimeout}`;
    it(`is ${closes ? "closed" : "kept"} by ${server}`, async (t) => {
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
