import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import { cutWhenStalled } from "../../../src/http/stall/response-stall.js";
import { needs } from "../../support/requirements.js";
import { selfSigned } from "../../support/self-signed.js";
import { describe, it } from "../../support/suite.js";

const onLinux = process.platform !== "linux" && "that only Linux can pass";

/** For how many seconds a response may stall, unless a test says otherwise. */
const STALL = 1.5;

for (const secure of [false, true]) {
  describe(`A response over ${secure ? "TLS" : "TCP"}`, { skip: secure && needs("openssl") }, () => {
    it("is cut after stallTimeout, and not after twice that, when the client takes nothing", async (t) => {
      const { client, response } = await ask(t, secure, sendEndlessly);
      client.pause();
      await assertCut(response);
    });

    it("is sent on while the client acknowledges a little, though its buffers stay too full to take more", {
      skip: onLinux,
    }, async (t) => {
      const { client, response } = await ask(t, secure, sendEndlessly, 2);
      client.pause();
      // On loopback a client acknowledges some 400 KB at a time, and Linux asks for more when 900 KB are acknowledged.
      // Without a size, `read` takes as much as Node likes: on Node 26 only 16 KB over TLS.
      const timer = setInterval(() => client.read(65_536), 200);
      t.after(() => clearInterval(timer));
      await sleep(6000);
      assert.equal((await response).destroyed, false);
    });

    it("is cut when there is nothing to send for so long", async (t) => {
      const { response } = await ask(t, secure, (_req, res) => {
        res.writeHead(200).write("a");
      });
      await assertCut(response);
    });

    it("is sent on after the process was held up", async (t) => {
      const { client, response } = await ask(t, secure, sendEndlessly);
      client.resume();
      const res = await response;
      for (let time = 0; time < 3; time++) {
        await sleep(50);
        block(1.5 * STALL * 1000);
      }
      await sleep(50);
      assert.equal(res.destroyed, false);
    });
  });
}

/** A server whose only response may stall for some seconds, and a client that has asked for it. */
async function ask(t: TestContext, secure: boolean, answer: RequestListener, seconds = STALL) {
  const pair = secure ? await selfSigned() : undefined;
  const server = pair ? createSecureServer(pair) : createServer();
  t.after(() => server.close());
  const response = new Promise<ServerResponse>((resolve) => {
    server.on("request", (req, res) => {
      cutWhenStalled({ req, res }, seconds);
      answer(req, res);
      resolve(res);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client: Socket = pair
    ? connectSecurely({ port, host: "localhost", ca: pair.cert })
    : connect(port, "127.0.0.1");
  t.after(() => client.destroy());
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return { client, response };
}

function sendEndlessly(...[, res]: Parameters<RequestListener>): void {
  const chunk = Buffer.alloc(65_536);
  const body = new Readable({
    read() {
      this.push(chunk);
    },
  });
  pipeline(body, res, () => {});
}

async function assertCut(response: Promise<ServerResponse>): Promise<void> {
  const start = Date.now();
  await once(await response, "close");
  const after = (Date.now() - start) / 1000;
  assert.ok(after > 0.9 * STALL && after < 1.9 * STALL, `after ${after} seconds`);
}

function block(milliseconds: number): void {
  const end = Date.now() + milliseconds;
  while (Date.now() < end);
}
