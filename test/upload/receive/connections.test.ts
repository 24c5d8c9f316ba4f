import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "koa";
import { koaBody } from "koa-body";
import { IsNull, Not } from "typeorm";
import { PrivateFileError } from "typeorm-private-files";
import { openConnection } from "../../support/connection.js";
import { cutMany, cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { memoryInUse } from "../../support/garbage.js";
import { all } from "../../support/requirements.js";
import { statusesOf } from "../../support/send-first.js";
import { after, afterEach, before, describe, it, type TestContext } from "../../support/suite.js";
import { CONTENT_TYPE, file, form, requestOf, text, writeRequest } from "../form/form-body.js";
import { statusOf } from "./raw-form.js";
import { type ReceiveSite, refusal, Submission, startReceiveSite } from "./receive-site.js";

const CONTENT = Buffer.alloc(100_000, "x");
const ONE_FILE = form(text("course", "biology"), file("file", CONTENT));
const TEXT = form(text("file", "x"));

let site: ReceiveSite;
let atRest: number;
before(async () => {
  site = await startReceiveSite();
  site.handle = receive;
  await statusOf(site.port, "/", { body: ONE_FILE });
  await nothingIsStored();
  atRest = descriptors();
});
after(() => site.close());
afterEach(async () => {
  site.handle = receive;
  await site.files.remove(Submission, { id: Not(IsNull()) });
  await nothingIsStored();
});

async function receive(ctx: Context): Promise<Submission> {
  const submission = site.dataSource.manager.create(Submission);
  await site.files.receive(ctx, { file: [submission, "file"] });
  return submission;
}

async function receiveAndSave(ctx: Context): Promise<void> {
  await site.dataSource.manager.save(await receive(ctx));
}

async function nothingIsStored(): Promise<void> {
  await eventually(async () => assert.deepEqual(await site.stored(), []));
}

/** All that comes over a connection until it is closed. */
async function allOf(connection: Socket): Promise<string> {
  let answers = "";
  connection.on("data", (chunk) => {
    answers += chunk.toString("latin1");
  });
  await once(connection, "close");
  return answers;
}

async function http2Session(t: TestContext): Promise<http2.ClientHttp2Session> {
  const server = http2.createServer(site.app.callback() as never).listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    session.destroy();
    server.close();
  });
  return session;
}

function beginForm(session: http2.ClientHttp2Session, length = ONE_FILE.length): http2.ClientHttp2Stream {
  const headers = { ":method": "POST", ":path": "/", "content-type": CONTENT_TYPE, "content-length": length };
  return session.request(headers).on("error", () => {});
}

async function statusOfStream(stream: http2.ClientHttp2Stream): Promise<number> {
  const [headers] = await once(stream, "response");
  return headers[":status"];
}

describe("A connection", () => {
  it("goes on after a refused form, also for a client that sends all of it first", async (t) => {
    const connection = await openConnection(t, site.port);
    const answers = allOf(connection);
    await writeRequest(connection, "/", form(text("file", "x"), file("file", Buffer.alloc(1_500_000))));
    await writeRequest(connection, "/", ONE_FILE);
    connection.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.deepEqual(statusesOf(await answers), [400, 201, 404]);
  });

  it("with pipelined forms gets each of them, and the handler of one takes no byte of another", async (t) => {
    const submissions: Submission[] = [];
    site.handle = async (ctx) => {
      if (submissions.length === 1) await sleep(50);
      const submission = await receive(ctx);
      await site.dataSource.manager.save(submission);
      submissions.push(submission);
    };
    const connection = await openConnection(t, site.port);
    const answers = allOf(connection);
    const forms = ["a", "b", "c"].map((letter) => requestOf("/", form(file("file", Buffer.alloc(150_000, letter)))));
    connection.write(Buffer.concat(forms.flatMap(({ head, body }) => [Buffer.from(head), body])));
    connection.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.deepEqual(statusesOf(await answers), [201, 201, 201, 404]);
    const contents = await Promise.all(submissions.map((one) => site.get(site.files.url(one, "file"))));
    assert.deepEqual(contents.map(({ body }) => [body.length, body.toString("latin1", 0, 1)]).sort(), [
      [150_000, "a"],
      [150_000, "b"],
      [150_000, "c"],
    ]);
  });

  it("with a form that is refused leaves the body of the pipelined one after it whole", async (t) => {
    site.handle = receiveAndSave;
    const connection = await openConnection(t, site.port);
    const answers = allOf(connection);
    const requests = [TEXT, ONE_FILE].map((body) => requestOf("/", body));
    connection.write(Buffer.concat(requests.flatMap(({ head, body }) => [Buffer.from(head), body])));
    connection.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.deepEqual(statusesOf(await answers), [400, 201, 404]);
  });
});

describe("A request", () => {
  it("is received once: the second call fails, and the first gets the form", async () => {
    let second: unknown;
    site.handle = async (ctx) => {
      const first = receiveAndSave(ctx);
      second = await receive(ctx).catch((error: unknown) => error);
      await first;
      await assert.rejects(receive(ctx), { reason: "unusable" });
    };
    assert.equal(await statusOf(site.port, "/", { body: ONE_FILE }), 201);
    assert.equal(refusal(second)?.reason, "unusable");
    assert.equal((await site.stored()).length, 1);
  });

  it("that a body parser has read is an error of the application", async () => {
    const parse = koaBody({ multipart: true });
    site.handle = (ctx) => parse(ctx, () => receive(ctx));
    assert.equal(await statusOf(site.port, "/", { body: ONE_FILE }), 500);
    assert.equal(refusal(site.error)?.reason, "unusable");
  });

  it("that is answered before its form is there is received all the same, and its file is deleted", async () => {
    let received: Promise<Submission> | undefined;
    site.handle = async (ctx) => {
      received = receive(ctx);
      received.catch(() => {});
    };
    const connection = connect(site.port, "127.0.0.1");
    await writeRequest(connection, "/", ONE_FILE, 50_000);
    await once(connection, "data");
    connection.write(ONE_FILE.subarray(50_000));
    const submission = await received!;
    await nothingIsStored();
    await assert.rejects(site.dataSource.manager.save(submission), PrivateFileError);
    connection.destroy();
  });
});

describe("A client that leaves", () => {
  it("after it has sent everything and before the save has its file deleted, and the save fails", async () => {
    let saving: unknown;
    site.handle = async (ctx) => {
      const submission = await receive(ctx);
      assert.equal((await site.stored()).length, 1);
      connection.destroy();
      await once(ctx.res, "close");
      await nothingIsStored();
      saving = await site.dataSource.manager.save(submission).catch((error: unknown) => error);
    };
    const connection = connect(site.port, "127.0.0.1").on("error", () => {});
    await writeRequest(connection, "/", ONE_FILE);
    await eventually(() => assert.ok(saving instanceof PrivateFileError, String(saving)));
  });

  it("while the application takes its time with the texts has its file deleted", async () => {
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let submission: Submission | undefined;
    site.handle = async (ctx) => {
      submission = site.dataSource.manager.create(Submission);
      await site.files.receive(ctx, { file: [submission, "file"] }, { onFields: () => gate });
    };
    await cutRequest(site.port, requestOf("/", ONE_FILE), ONE_FILE.length);
    await eventually(() => assert.ok(submission));
    proceed();
    await eventually(() => assert.ok(submission!.file));
    await nothingIsStored();
  });

  it("in the middle leaves no file, no descriptor and no memory behind, however often", async () => {
    const count = all ? 1000 : 300;
    const body = form(text("course", "x"), file("file", CONTENT), text("name", "y"));
    site.handle = receiveAndSave;
    await cutMany(site.port, requestOf("/", body), 100);
    await nothingIsStored();
    const before = memoryInUse();
    await cutMany(site.port, requestOf("/", body), count);
    await eventually(() => {
      site.errors.length = 0;
      const after = memoryInUse();
      assert.ok(after < before * 1.1, `${after} bytes in use, ${before} before`);
    });
    await nothingIsStored();
    await eventually(() => assert.ok(descriptors() <= atRest, `${descriptors()} descriptors, ${atRest} at rest`));
    assert.equal(await statusOf(site.port, "/", { body: ONE_FILE }), 201);
  });
});

describe("Over HTTP/2", () => {
  it("a form is received, a refused one is answered, and the connection goes on", async (t) => {
    site.handle = receiveAndSave;
    const session = await http2Session(t);
    for (const [body, status] of [
      [ONE_FILE, 201],
      [TEXT, 400],
      [form(text("file", "x"), file("file", Buffer.alloc(1_500_000))), 400],
      [form(file("file", Buffer.alloc(1_000_001))), 413],
      [ONE_FILE, 201],
    ] as const) {
      const stream = beginForm(session, body.length);
      stream.end(body);
      assert.equal(await statusOfStream(stream), status);
    }
  });

  it("a stream that is reset in the middle leaves nothing", async (t) => {
    const session = await http2Session(t);
    const stream = beginForm(session);
    stream.write(ONE_FILE.subarray(0, 50_000));
    await eventually(async () => assert.equal((await site.stored()).length, 1));
    stream.close(8);
    await nothingIsStored();
    await eventually(() => assert.equal(refusal(site.error)?.reason, "failed"));
  });

  it("a stream that is reset after everything was sent and before the save has its file deleted", async (t) => {
    let saving: unknown;
    site.handle = async (ctx) => {
      const submission = await receive(ctx);
      stream.close(8);
      await once(ctx.req, "close");
      await sleep(50);
      saving = await site.dataSource.manager.save(submission).catch((error: unknown) => error);
    };
    const stream = beginForm(await http2Session(t));
    stream.end(ONE_FILE);
    await eventually(() => assert.ok(saving instanceof PrivateFileError, String(saving)));
  });

  it("a stream that is reset while the application takes its time has its file deleted", async (t) => {
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let submission: Submission | undefined;
    site.handle = async (ctx) => {
      submission = site.dataSource.manager.create(Submission);
      await site.files.receive(ctx, { file: [submission, "file"] }, { onFields: () => gate });
    };
    const stream = beginForm(await http2Session(t));
    stream.end(ONE_FILE);
    await eventually(async () => assert.equal((await site.stored()).length, 1));
    await sleep(50);
    stream.close(8);
    await sleep(50);
    proceed();
    await eventually(() => assert.ok(submission!.file));
    await nothingIsStored();
  });
});
