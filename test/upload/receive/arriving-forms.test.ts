import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect as connectHttp2, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSubscriber } from "typeorm";
import { type BeforeAttachEvent, PrivateFileError, type PrivateFileSubscriber } from "typeorm-private-files";
import { cutMany, cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { memoryInUse } from "../../support/garbage.js";
import { all } from "../../support/requirements.js";
import { after, afterEach, before, describe, it } from "../../support/suite.js";
import { CONTENT_TYPE, file, form, requestOf, text } from "../form/form-body.js";
import { type ReceiveSite, refusal, Submission, startReceiveSite } from "./receive-site.js";

/** What the hook does with an upload. */
let look: (event: BeforeAttachEvent<Submission>) => unknown = () => {};

@EventSubscriber()
class Guard implements PrivateFileSubscriber<Submission> {
  listenTo() {
    return Submission;
  }
  async beforeAttach(event: BeforeAttachEvent<Submission>) {
    await look(event);
  }
}

let site: ReceiveSite;
before(async () => {
  site = await startReceiveSite({ subscribers: [Guard] });
});
after(() => site.close());
afterEach(async () => {
  look = () => {};
  await eventually(async () => assert.deepEqual(await site.stored(), []));
});

const BOTH = form(text("course", "x"), file("file", "the file"), file("image", PNG(), "a.png"));

function PNG(): Buffer {
  return Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x04\0\0\0\xb5\x1c\x0c\x02", "latin1");
}

async function send(body: Buffer, write?: (outgoing: ReturnType<typeof request>) => Promise<void>): Promise<number> {
  const headers: Record<string, string | number> = { "Content-Type": CONTENT_TYPE };
  if (!write) headers["Content-Length"] = body.length;
  const outgoing = request({ host: "127.0.0.1", port: site.port, method: "POST", headers, agent: false });
  await write?.(outgoing);
  outgoing.end(write ? undefined : body);
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  await once(incoming, "end");
  return incoming.statusCode;
}

/** Receives both files, and says what is in the storage and in the entity then. */
function receiveBoth(options = {}): Submission {
  const submission = new Submission();
  site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] }, options);
  return submission;
}

async function assertNothing(submission: Submission): Promise<void> {
  assert.deepEqual(await site.stored(), []);
  assert.deepEqual([submission.file, submission.image, submission.name], [undefined, undefined, undefined]);
}

describe("A form that arrives in another way", () => {
  it("is read in chunks of one byte", async () => {
    let key: string | undefined;
    const submission = receiveBoth();
    const { handle } = site;
    site.handle = async (ctx) => {
      await handle(ctx);
      key = submission.file.key;
    };
    const status = await send(BOTH, async (outgoing) => {
      outgoing.setNoDelay(true);
      for (const byte of BOTH) {
        outgoing.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
    });
    assert.equal(status, 201);
    assert.ok(key);
  });

  it("is refused when it is shorter than it says, and what follows it is not read", async () => {
    const submission = receiveBoth();
    const { head, body } = requestOf("/", BOTH);
    await cutRequest(
      site.port,
      { head: head.replace(/Length: \d+/, `Length: ${body.length + 10}`), body },
      body.length,
    );
    await eventually(() => assert.equal(refusal(site.error)?.reason, "failed"));
    await assertNothing(submission);
    // The second request of the connection has its own body.
    const statuses: string[] = [];
    const texts: (string | undefined)[] = [];
    site.handle = async (ctx) => {
      texts.push((await site.files.receive(ctx, {})).n);
    };
    const { default: net } = await import("node:net");
    const connection = net.connect(site.port, "127.0.0.1");
    connection.on("data", (chunk) => statuses.push(...(String(chunk).match(/HTTP\/1\.1 \d+/g) ?? [])));
    for (const n of ["1", "2", "3"]) {
      const one = requestOf("/", form(text("n", n)));
      connection.write(Buffer.concat([Buffer.from(one.head), Buffer.from(one.body)]));
    }
    await eventually(() => assert.deepEqual(statuses, Array(3).fill("HTTP/1.1 201")));
    assert.deepEqual(texts, ["1", "2", "3"]);
    connection.destroy();
  });

  it("is read over HTTP/2, and its refusal is answered there", async () => {
    const server = createServer(site.app.callback());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      for (const [body, expected] of [
        [BOTH, 201],
        [form(file("file", Buffer.alloc(1_000_001))), 413],
      ] as const) {
        receiveBoth();
        const stream = client.request({ ":method": "POST", ":path": "/", "content-type": CONTENT_TYPE });
        stream.on("error", () => {});
        stream.end(body);
        const [headers] = await once(stream, "response");
        assert.equal(headers[":status"], expected);
        stream.resume();
        await once(stream, "close");
      }
    } finally {
      client.close();
      server.close();
    }
  });

  const count = all ? 1000 : 100;
  it(`leaves no file, no descriptor and no memory behind when it is cut, ${count} times`, async () => {
    const cut = requestOf(
      "/",
      form(file("file", Buffer.alloc(300_000)), text("course", "x"), file("image", PNG(), "a.png")),
    );
    site.handle = (ctx) => {
      const submission = new Submission();
      return site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] }, { stallTimeout: 2 });
    };
    assert.equal(await send(cut.body as Buffer), 201);
    await cutMany(site.port, cut, 50);
    site.errors.length = 0;
    const atRest = descriptors();
    const before = memoryInUse();
    await cutMany(site.port, cut, count);
    await eventually(() => {
      site.errors.length = 0;
      const now = memoryInUse();
      assert.ok(now < before * 1.1, `${now} bytes in use, ${before} before`);
      assert.ok(descriptors() <= atRest);
    });
    await eventually(async () => assert.deepEqual(await site.stored(), []));
    assert.equal(await send(cut.body as Buffer), 201);
  });
});

describe("A client that leaves when everything is sent", () => {
  it("has what was not saved by then deleted, and it can't be saved any more", async () => {
    const submission = new Submission();
    let saving: Promise<unknown> | undefined;
    site.handle = async (ctx) => {
      await site.files.receive(ctx, { file: [submission, "file"] });
      ctx.req.socket.destroy();
      await sleep(20);
      saving = site.dataSource.manager.save(submission);
      await saving;
    };
    await assert.rejects(send(form(file("file", "x"))));
    await eventually(() => assert.ok(saving));
    await assert.rejects(saving!, PrivateFileError);
  });

  it("has a form that is not read to its end discarded", async () => {
    look = ({ signal }) => sleep(50, undefined, { signal });
    const submission = receiveBoth();
    const whole = requestOf("/", BOTH);
    await cutRequest(site.port, whole, BOTH.length);
    await sleep(100);
    await eventually(async () => assert.deepEqual(await site.stored(), []));
    await assert.rejects(site.dataSource.manager.save(submission));
  });
});

describe("A request", () => {
  it("is received once", async () => {
    const one = new Submission();
    const two = new Submission();
    site.handle = async (ctx) => {
      const first = site.files.receive(ctx, { file: [one, "file"] });
      await assert.rejects(site.files.receive(ctx, { file: [two, "file"] }), { reason: "unusable" });
      await first;
      await assert.rejects(site.files.receive(ctx, { file: [two, "file"] }), { reason: "unusable" });
    };
    assert.equal(await send(form(file("file", "x"))), 201, String(site.error));
  });
});
