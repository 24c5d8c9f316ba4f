import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Connection } from "./connection.js";
import { press, type Request } from "./press.js";

const FILE = Buffer.alloc(300_000);
const request: Request = { path: "/file", headers: { "x-user": "alice" }, status: 200, length: FILE.length };

describe("Pressing a server", () => {
  it("makes the given number of requests on all connections", async (t) => {
    const users: unknown[] = [];
    const connections = await connectionsTo(t, (asked, answer) => {
      users.push(asked.headers["x-user"]);
      answer.end(FILE);
    });
    const pressed = await press(connections, request, (made) => made < 25);
    assert.equal(pressed.requests, 25);
    assert.deepEqual(users, Array(25).fill("alice"));
  });

  it("fails for another status, and for another length", async (t) => {
    const missing = await connectionsTo(t, (_, answer) =>
      answer.writeHead(404, { "content-length": FILE.length }).end(FILE),
    );
    await assert.rejects(
      press(missing, request, (made) => made < 1),
      /the answer is 404 with 300000 bytes, not 200/,
    );
    const short = await connectionsTo(t, (_, answer) => answer.end(FILE.subarray(1)));
    await assert.rejects(
      press(short, request, (made) => made < 1),
      /299999 bytes, not 200 with 300000/,
    );
  });

  it("fails when a connection ends amid an answer, and afterwards", async (t) => {
    const connections = await connectionsTo(t, (asked, answer) => {
      answer.writeHead(200, { "content-length": FILE.length }).write(FILE.subarray(1), () => asked.socket.end());
    });
    await assert.rejects(
      press(connections, request, () => true),
      /closed the connection/,
    );
    await assert.rejects(
      press(connections.slice(0, 1), request, () => true),
      /closed the connection/,
    );
  });
});

async function connectionsTo(t: TestContext, listener: RequestListener): Promise<Connection[]> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connections = await Promise.all([1, 2, 3].map(() => Connection.open(port)));
  t.after(() => {
    for (const connection of connections) connection.close();
    server.close();
  });
  return connections;
}
