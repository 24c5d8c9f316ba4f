import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AttachOptions,
  type BeforeAttachEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  UploadError,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { sendFirst, statusesOf } from "../support/send-first.js";
import { after, before, describe, it } from "../support/suite.js";

const MOST = 300_000;

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true, maxSize: MOST }) limited!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, accept: ["application/pdf"] }) picture!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true }) plain!: PrivateFile | null;
}

@Entity()
class Watched {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) file!: PrivateFile | null;
}

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Watched> {
  listenTo() {
    return Watched;
  }
  beforeAttach(_event: BeforeAttachEvent<Watched>) {
    throw Object.assign(new Error("infected"), { status: 422, expose: true });
  }
}

let application: Application;
let options: AttachOptions = {};
before(async () => {
  application = await startApplication({
    entities: [Scan, Watched],
    subscribers: [Watcher],
    before(app) {
      app.silent = true;
      app.use(async (ctx, next) => {
        if (ctx.method !== "PUT") return next();
        const property = ctx.path.slice(1) as "limited";
        if (property === ("file" as string)) await application.files.attach(new Watched(), "file", ctx.req);
        else await application.files.attach(new Scan(), property, ctx.req, options);
        ctx.status = 204;
      });
    },
  });
});
after(() => application.close());

async function keys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of application.storage.list("")) keys.push(key);
  return keys.sort();
}

describe("A refused raw body", () => {
  for (const chunked of [false, true]) {
    const how = chunked ? "in chunks of unknown number" : "of a known length";
    for (const [path, status] of [
      ["limited", 413],
      ["picture", 415],
      ["file", 422],
    ] as const) {
      it(`is answered ${status}, also to a client that sends all of it first, ${how}, and the connection goes on`, async () => {
        assert.deepEqual(statusesOf(await sendFirst(application.port, path, { chunked })), [status, 404]);
      });
    }
  }

  it("is answered over HTTP/2 as well, and the connection goes on", async (t) => {
    const server = http2.createServer(application.app.callback());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = http2.connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    t.after(() => {
      client.destroy();
      server.close();
    });
    const put = async (path: string, length: number) => {
      const stream = client.request({ ":method": "PUT", ":path": path });
      stream.on("error", () => {});
      stream.end(Buffer.alloc(length));
      const [headers] = await once(stream, "response");
      return headers[":status"];
    };
    assert.equal(await put("/limited", 10), 204);
    assert.equal(await put("/limited", 4_000_000), 413);
    assert.equal(await put("/picture", 4_000_000), 415);
    assert.equal(await put("/limited", 10), 204);
  });

  it("that comes no further is answered 408 after stallTimeout, and its connection is closed", async (t) => {
    options = { stallTimeout: 0.2 };
    t.after(() => {
      options = {};
    });
    for (const property of ["plain", "limited"]) {
      const socket = connect(application.port, "127.0.0.1");
      socket.write(`PUT /${property} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome`);
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
      });
      await once(socket, "close");
      assert.deepEqual(statusesOf(answer), [408]);
    }
  });

  it("whose client has left fails, and leaves nothing", async () => {
    const before = await keys();
    const socket = connect(application.port, "127.0.0.1");
    socket.write("PUT /plain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome");
    setTimeout(() => socket.destroy(), 50);
    const failed = () =>
      application.errors.filter((error) => error instanceof UploadError && error.reason === "failed");
    await eventually(() => assert.equal(failed().length, 1));
    assert.deepEqual(await keys(), before);
  });

  for (const version of [1, 2]) {
    it(`whose client has left before it is attached fails, over HTTP/${version}`, async (t) => {
      const server = version === 1 ? http.createServer() : http2.createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      t.after(() => server.close());
      const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
      const client = version === 2 ? http2.connect(url) : undefined;
      const upload = client ? client.request({ ":method": "PUT" }) : http.request(url, { method: "PUT" });
      upload.on("error", () => {});
      upload.write("some");
      const [request] = await once(server, "request");
      setTimeout(() => (client ?? upload).destroy(), 50);
      await new Promise((resolve) => request.on("error", () => {}).once("close", resolve));
      await assert.rejects(application.files.attach(new Scan(), "plain", request), { reason: "failed" });
    });
  }
});
