import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { Readable } from "node:stream";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type AttachOptions,
  PrivateFile,
  PrivateFileColumn,
  type PutOptions,
  StorageError,
  type StoredObject,
  UploadError,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { sendFirst, statusesOf } from "../support/send-first.js";
import { after, before, describe, it, type TestContext } from "../support/suite.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) digest!: string | null;
  @PrivateFileColumn<Scan>({ nullable: true, fields: { sha256: "digest" } }) file!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, accept: ["application/pdf"] }) document!: PrivateFile | null;
}

let application: Application;
before(async () => {
  application = await startApplication({
    entities: [Scan],
    before(app) {
      app.silent = true;
      app.use(async (ctx, next) => {
        if (ctx.method !== "PUT") return next();
        await application.files.attach(new Scan(), "file", ctx.req);
        ctx.status = 204;
      });
    },
  });
});
after(() => application.close());

type Put = (key: string, body: Readable, options: PutOptions) => Promise<StoredObject>;

function putWith(t: TestContext, put: (right: Put) => Put): void {
  const right = application.storage.put.bind(application.storage) as Put;
  t.mock.method(application.storage, "put", put(right));
}

async function fails(property: "file" | "document", options: AttachOptions = {}): Promise<unknown> {
  const scan = new Scan();
  const attaching = application.files.attach(scan, property, Buffer.from("some bytes"), options);
  const error = await attaching.then(
    () => assert.fail("it was taken"),
    (error: unknown) => error,
  );
  assert.equal(scan[property], undefined);
  for await (const { key } of application.storage.list("")) assert.fail(`${key} is left`);
  return error;
}

/** Waits for no end of the body, as a client of HTTP does that has sent what it announced. */
const counting: (right: Put) => Put = (right) => async (key, body) => {
  const [bytes] = await once(body, "data");
  return right(key, Readable.from([bytes], { objectMode: false }), {});
};

describe("A storage that is done before the body has ended", () => {
  it("is waited for no longer, and what is wrong with the bytes is found all the same", async (t) => {
    putWith(t, counting);
    for (const [property, options, reason] of [
      ["file", { sha256: "0".repeat(64) }, "checksum"],
      ["document", {}, "type"],
    ] as const) {
      const error = await fails(property, options);
      assert.ok(error instanceof UploadError, String(error));
      assert.equal(error.reason, reason);
    }
  });

  it("keeps an upload with which nothing is wrong, and its digest is known", async (t) => {
    putWith(t, counting);
    const scan = new Scan();
    const { key } = await application.files.attach(scan, "file", Buffer.from("some bytes"));
    assert.match(scan.digest!, /^[0-9a-f]{64}$/);
    await application.storage.delete(key);
  });

  it("fails the upload if it has not read all bytes, or says that there are more or fewer", async (t) => {
    for (const put of [
      () => async () => ({ size: 10, modifiedAt: new Date() }),
      () => async (_key: string, body: Readable) => {
        for await (const { length } of body.iterator({ destroyOnReturn: false })) assert.equal(length, 10);
        return { size: 0, modifiedAt: new Date() };
      },
      () => async (_key: string, body: Readable) => {
        await once(body, "data");
        body.destroy();
        return { size: 10, modifiedAt: new Date() };
      },
      (right: Put) => async (key: string, body: Readable, options: PutOptions) => ({
        ...(await right(key, body, options)),
        size: 9,
      }),
      (right: Put) => async (key: string, body: Readable, options: PutOptions) =>
        void (await right(key, body, options)),
    ]) {
      putWith(t, put as unknown as (right: Put) => Put);
      assert.ok((await fails("file")) instanceof StorageError);
      t.mock.restoreAll();
    }
  });
});

describe("A storage that fails at once", () => {
  const failing: [how: string, put: Put][] = [
    [
      "by throwing",
      () => {
        throw new StorageError("x: it is full. Make room.", "x");
      },
    ],
    ["by a promise", async () => Promise.reject(new StorageError("x: it is full. Make room.", "x"))],
    ["by saying that it has written all", async () => ({ size: 1, modifiedAt: new Date() })],
  ];
  for (const [how, put] of failing) {
    it(`${how}, leaves the connection to a client that sends all of it first`, async (t) => {
      putWith(t, () => put);
      assert.deepEqual(statusesOf(await sendFirst(application.port, "file")), [500, 404]);
    });

    it(`${how}, leaves the connection over HTTP/2, too`, async (t) => {
      putWith(t, () => put);
      const server = http2.createServer(application.app.callback());
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const client = http2.connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
      t.after(() => {
        client.destroy();
        server.close();
      });
      for (const length of [4_000_000, 10]) {
        const stream = client.request({ ":method": "PUT", ":path": "/file" });
        stream.end(Buffer.alloc(length));
        const [headers] = await once(stream, "response");
        assert.equal(headers[":status"], 500);
        await once(stream.resume(), "close");
      }
    });
  }
});
