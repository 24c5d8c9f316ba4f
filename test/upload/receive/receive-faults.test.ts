import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect as connectHttp2, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSubscriber } from "typeorm";
import {
  type BeforeAttachEvent,
  PrivateFileError,
  type PrivateFileSubscriber,
  UploadError,
} from "typeorm-private-files";
import { cutMany, cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { memoryInUse } from "../../support/garbage.js";
import { MemoryStorage } from "../../support/memory-storage.js";
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

describe("A form of which one file is refused", () => {
  it("leaves nothing of the other, whether the hook refuses the first or the second", async () => {
    for (const refused of ["file", "image"]) {
      look = ({ propertyName }) => {
        if (propertyName === refused) throw new UploadError("type", "Submission: no.");
      };
      const submission = receiveBoth();
      assert.equal(await send(BOTH), 415);
      assert.deepEqual([refusal(site.error)?.property, refusal(site.error)?.details.part], [refused, refused]);
      await assertNothing(submission);
    }
  });

  it("leaves nothing when uploadTo throws, or an entity's setter does", async () => {
    const submission = receiveBoth();
    submission.course = "..";
    assert.equal(await send(BOTH), 500);
    await assertNothing(submission);
    const first = new Submission();
    const frozen = Object.freeze(new Submission());
    site.handle = (ctx) => site.files.receive(ctx, { file: [first, "file"], image: [frozen, "image"] });
    assert.equal(await send(BOTH), 500);
    assert.deepEqual(await site.stored(), []);
    first.image = null;
    await assert.rejects(site.dataSource.manager.save(first), PrivateFileError);
  });

  it("leaves nothing when the storage fails to keep a file", async (t) => {
    const { storage } = site;
    const stage = storage.stage.bind(storage);
    t.after(() => {
      storage.stage = stage;
    });
    let count = 0;
    storage.stage = async (...args) => {
      const staged = await stage(...args);
      const fail = ++count % 2 === 0;
      return {
        size: staged.size,
        read: () => staged.read(),
        discard: () => staged.discard(),
        keep: (key) => (fail ? Promise.reject(new Error("disk full")) : staged.keep(key)),
      };
    };
    const submission = receiveBoth();
    assert.equal(await send(BOTH), 500);
    await assertNothing(submission);
  });
});

describe("Parts that a function names", () => {
  for (const [what, parts, status] of [
    ["throws", () => Promise.reject(Object.assign(new Error("no"), { status: 409 })), 409],
    ["names a property that is none", () => [new Submission(), "course"], 500],
    ["names something else than an entity", () => [{}, "file"], 500],
    ["returns something else", () => "file", 500],
    ["expects no file", () => undefined, 400],
  ] as const) {
    it(`refuse the form when the function ${what}`, async () => {
      site.handle = (ctx) => site.files.receive(ctx, parts as () => undefined);
      assert.equal(await send(form(file("file", Buffer.alloc(500_000)))), status, String(site.error));
    });
  }

  it("fail with a client that leaves, or after the timeout, while the function has not answered", async () => {
    for (const [size, options, reason] of [
      [30_000, {}, "failed"],
      // Node does not read on, and does not notice that the client has left.
      [500_000, { timeout: 0.3 }, "stalled"],
    ] as const) {
      site.error = undefined;
      site.handle = (ctx) => site.files.receive(ctx, () => new Promise(() => {}), options);
      await cutRequest(site.port, requestOf("/", form(file("file", Buffer.alloc(size)))), size / 2);
      await eventually(() => assert.equal(refusal(site.error)?.reason, reason));
    }
  });

  it("can't go to one property twice", async () => {
    const submission = new Submission();
    site.handle = (ctx) => site.files.receive(ctx, () => [submission, "file"]);
    assert.equal(await send(form(file("a", "1"), file("b", "2"))), 400);
    assert.deepEqual(refusal(site.error)?.property, "file");
    assert.deepEqual(await site.stored(), []);
  });
});

describe("A storage that takes bytes only with their key", () => {
  it("is asked for the key when the file begins, and keeps nothing of a form that fails later", async () => {
    const storage = new MemoryStorage();
    const other = await startReceiveSite({ options: { storage } });
    try {
      const submission = new Submission();
      other.handle = async (ctx) => {
        await other.files.receive(ctx, { file: [submission, "file"] });
        await other.dataSource.manager.save(submission);
      };
      const post = (body: Buffer) =>
        fetch(`http://127.0.0.1:${other.port}/`, { method: "POST", body, headers: { "Content-Type": CONTENT_TYPE } });
      assert.equal((await post(form(file("file", "x"), text("a", "b")))).status, 201);
      assert.deepEqual([...storage.objects.keys()], [submission.file.key]);
      assert.equal((await post(form(file("file", "x"), file("other", "y")))).status, 400);
      assert.equal((await post(form(file("file", "x")).subarray(0, -5))).status, 400);
      await eventually(() => assert.deepEqual([...storage.objects.keys()], [submission.file.key]));
    } finally {
      await other.close();
    }
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
