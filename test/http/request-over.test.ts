import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { whenRequestOver } from "../../src/http/request-over.js";
import { openConnection } from "../support/connection.js";
import { eventually } from "../support/eventually.js";

/** The paths of the requests that are over, in their order. */
let over: string[];

describe("whenRequestOver", () => {
  it("calls back when the response is sent, while the connection stays open for the next request", async (t) => {
    const { port } = await serve(t, (_request, response) => response.end());
    const connection = await openConnection(t, port);
    for (const path of ["/1", "/2"]) {
      connection.write(post(path));
      await eventually(() => assert.equal(over.at(-1), path));
    }
    assert.deepEqual([over, connection.readyState], [["/1", "/2"], "open"]);
  });

  it("calls back for each pipelined request at the end of its own response", async (t) => {
    const { port, waiting } = await serve(t);
    const connection = await openConnection(t, port);
    connection.write(post("/1") + post("/2") + post("/3"));
    await eventually(() => assert.equal(waiting.length, 3));
    for (const [index, expected] of [
      [1, []],
      [0, ["/1", "/2"]],
      [2, ["/1", "/2", "/3"]],
    ] as const) {
      waiting[index]!.end();
      await sleep(50);
      assert.deepEqual(over, expected);
    }
  });

  it("calls back once for all requests of a connection that is cut, without a warning of too many listeners", async (t) => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    t.after(() => process.off("warning", listener));
    const { port, waiting } = await serve(t);
    const connection = await openConnection(t, port);
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    connection.write(paths.map((path) => post(path)).join(""));
    await eventually(() => assert.equal(waiting.length, 20));
    connection.destroy();
    await eventually(() => assert.deepEqual(over, paths));
    for (const response of waiting) response.end();
    await sleep(50);
    assert.deepEqual([over, warnings], [paths, []]);
  });

  it("calls back when the client leaves in the middle of the body, and after the body", async (t) => {
    const { port, waiting } = await serve(t);
    for (const request of ["POST /middle HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", post("/after")]) {
      const connection = await openConnection(t, port);
      const before = waiting.length;
      connection.write(request);
      await eventually(() => assert.equal(waiting.length, before + 1));
      assert.equal(over.length, before);
      connection.destroy();
      await eventually(() => assert.equal(over.length, before + 1));
    }
    assert.deepEqual(over, ["/middle", "/after"]);
  });

  it("calls back when the response is sent before the body has arrived", async (t) => {
    const { port } = await serve(t, (_request, response) => response.end());
    const connection = await openConnection(t, port);
    connection.write("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    await eventually(() => assert.deepEqual(over, ["/early"]));
    assert.equal(connection.readyState, "open");
  });

  it("calls back at the end of the connection if it is asked after the response, and at once if that is closed", async (t) => {
    const late: IncomingMessage[] = [];
    const { port } = await serve(t, (request, response) => {
      // Not in the callback of `end`: newer versions of Node call it before the response is over.
      response.once("close", () => whenRequestOver(request, () => over.push("late"))).end();
      late.push(request);
    });
    const connection = await openConnection(t, port);
    connection.write(post("/1"));
    await eventually(() => assert.deepEqual(over, ["/1"]));
    connection.destroy();
    await eventually(() => assert.deepEqual(over, ["/1", "late"]));
    whenRequestOver(late[0]!, () => over.push("at once"));
    assert.equal(over.at(-1), "at once");
  });

  it("calls back over HTTP/2 when the response is sent, the stream is reset, or the session is closed", async (t) => {
    over = [];
    const waiting: { end(): void }[] = [];
    const server = createHttp2Server((request, response) => {
      request.on("error", () => {}).resume();
      whenRequestOver(request, () => over.push(request.url));
      if (request.url === "/answered") response.end();
      waiting.push(response);
    });
    const session = connectHttp2(`http://127.0.0.1:${await listening(t, server)}`).on("error", () => {});
    t.after(() => session.destroy());
    const begin = async (path: string) => {
      const stream = session.request({ ":method": "POST", ":path": path }).on("error", () => {});
      stream.resume().write("the first bytes");
      const before = waiting.length;
      await eventually(() => assert.equal(waiting.length, before + 1));
      return stream;
    };
    await begin("/answered");
    await eventually(() => assert.deepEqual(over, ["/answered"]));
    const reset = await begin("/reset");
    assert.equal(over.length, 1);
    reset.close(8);
    await eventually(() => assert.deepEqual(over, ["/answered", "/reset"]));
    await begin("/closed");
    session.destroy();
    await eventually(() => assert.deepEqual(over, ["/answered", "/reset", "/closed"]));
  });

  it("never calls back for an object that has no connection", () => {
    whenRequestOver({} as IncomingMessage, () => assert.fail());
  });
});

/** A server that asks to be called back for each request, and collects the responses. */
async function serve(t: TestContext, answer?: (request: IncomingMessage, response: ServerResponse) => unknown) {
  over = [];
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.on("error", () => {}).resume();
    whenRequestOver(request, () => over.push(request.url!));
    waiting.push(response);
    answer?.(request, response);
  });
  return { port: await listening(t, server), waiting };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function post(path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`;
}
