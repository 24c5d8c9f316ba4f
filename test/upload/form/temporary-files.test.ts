import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { connect as connectHttp2, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "koa";
import { UploadError } from "typeorm-private-files";
import { openConnection } from "../../support/connection.js";
import { cutMany, cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { memoryInUse } from "../../support/garbage.js";
import { all } from "../../support/requirements.js";
import { CONTENT_TYPE, file, form, requestOf, text, writeRequest } from "./form-body.js";
import { type FormSite, fileOf, MOST_BYTES, PARSERS, Submission, startFormSite } from "./form-site.js";

const CONTENT = Buffer.alloc(100_000, "x");
const ONE_FILE = form(text("description", "A report"), file("file", CONTENT));
/** The parsers whose files wait in the folder. */
const ON_DISK = ["koa-body", "multer"] as const;

let site: FormSite;
let atRest: number;
/** What the route "waits" waits for, and what it then does. */
let gate: PromiseWithResolvers;
let attempts: Promise<unknown>[] = [];

before(async () => {
  site = await startFormSite({
    attach,
    async throws() {
      throw new Error("the database is down");
    },
    refuses: (ctx) => ctx.throw(403),
    unread: (ctx) => ctx.throw(403),
    wrong: (ctx) => site.files.attach(new Submission(), "file", [fileOf(ctx)] as never),
    unawaited(ctx) {
      attempts.push(site.files.attach(new Submission(), "file", fileOf(ctx)));
      ctx.status = 202;
    },
    afterwards(ctx) {
      const source = fileOf(ctx);
      attempts.push(gate.promise.then(() => site.files.attach(new Submission(), "file", source)));
      ctx.status = 202;
    },
    async waits(ctx) {
      await gate.promise;
      ctx.status = 200;
    },
    looks(ctx) {
      ctx.body = readdirSync(site.incoming).map((name) => statSync(join(site.incoming, name)).mode & 0o777);
    },
  });
  await site.send("/koa-body/attach", ONE_FILE);
  await sleep(100);
  atRest = descriptors();
});
after(() => site.close());
beforeEach(() => {
  gate = promiseWithResolvers();
  attempts = [];
  site.errors.length = 0;
});

describe("the temporary files of a form are deleted with their request, and the answer is right,", () => {
  const big = file("file", Buffer.alloc(MOST_BYTES + 1));
  const cases: [string, string, Buffer, number, Partial<Record<string, number>>?][] = [
    ["when the file is attached", "attach", ONE_FILE, 201],
    ["when a handler throws before it attaches", "throws", ONE_FILE, 500],
    ["when a handler refuses the form", "refuses", ONE_FILE, 403],
    ["when a handler refuses without reading the form", "unread", ONE_FILE, 403],
    ["when attach refuses what it is given", "wrong", ONE_FILE, 400],
    ["when one field has two files", "attach", form(file("file", CONTENT), file("file", CONTENT)), 400],
    ["when the file is in another field", "attach", form(file("other", CONTENT)), 400],
    [
      "when a second file is in another field",
      "attach",
      form(file("file", CONTENT), file("other", CONTENT)),
      400,
      { "koa-body": 201 },
    ],
    ["when the form has no file", "attach", form(text("description", "A report")), 400],
    ["when the form is empty", "attach", form(), 400],
    ["when the file is a text", "attach", form(text("file", "/etc/passwd")), 400],
    ["when the file is too large", "attach", form(big), 413],
    [
      "when the second file is too large",
      "attach",
      form(file("file", CONTENT), big),
      413,
      { multer: 400, "multer-memory": 400 },
    ],
    ["when the first file is too large, and more follow", "attach", form(big, file("a", "x"), file("b", CONTENT)), 413],
    [
      "when the first file is empty, and more follow",
      "attach",
      form(file("file", ""), file("a", "x"), file("b", CONTENT)),
      400,
    ],
    ["when the form ends in the middle of a file", "attach", ONE_FILE.subarray(0, 50_000), 400],
    [
      "when a part has no end of its headers",
      "attach",
      Buffer.concat([Buffer.from("------boundary\r\nContent-"), CONTENT]),
      400,
    ],
    ["when the form has no boundary at all", "attach", CONTENT, 400],
  ];
  for (const parser of PARSERS) {
    for (const [what, handler, body, status, others] of cases) {
      it(`${what}: ${parser}`, async () => {
        assert.equal(await site.send(`/${parser}/${handler}`, body), others?.[parser] ?? status);
        await nothingIsLeft();
        assert.equal(failures().length, status === 500 ? 1 : 0, String(failures()));
      });
    }

    for (const [what, bytes] of [
      ["first", 1],
      ["last but one", ONE_FILE.length - 1],
    ] as const) {
      it(`when the client leaves after the ${what} byte: ${parser}`, async () => {
        await cutRequest(site.port, requestOf(`/${parser}/attach`, ONE_FILE), bytes);
        await nothingIsLeft();
      });
    }

    it(`when the client leaves in the middle of the second file: ${parser}`, async () => {
      const body = form(file("file", "a whole file"), file("file", CONTENT));
      await cutRequest(site.port, requestOf(`/${parser}/attach`, body), body.length / 2);
      await nothingIsLeft();
    });

    it(`when the content type names no boundary, or is no form: ${parser}`, async () => {
      for (const type of ["multipart/form-data", "multipart/form-data; boundary=", "multipart/x"]) {
        assert.equal(await site.send(`/${parser}/attach`, ONE_FILE, type), 400, type);
      }
      await nothingIsLeft();
      assert.deepEqual(failures(), []);
    });
  }
});

describe("a temporary file", () => {
  for (const parser of ON_DISK) {
    it(`can be read by this user alone: ${parser}`, async () => {
      const answer = await fetch(`http://127.0.0.1:${site.port}/${parser}/looks`, {
        method: "POST",
        headers: { "Content-Type": CONTENT_TYPE },
        body: ONE_FILE,
      });
      assert.deepEqual(await answer.json(), [0o600]);
      await nothingIsLeft();
    });

    it(`is kept while its handler works, also when a pipelined request is answered before it could be: ${parser}`, async (t) => {
      const connection = await openConnection(t, site.port);
      connection.resume();
      await writeRequest(connection, `/${parser}/waits`, ONE_FILE);
      await writeRequest(connection, `/${parser}/refuses`, ONE_FILE);
      await eventually(async () => assert.equal((await site.temporaryFiles()).length, 2));
      await sleep(50);
      assert.equal((await site.temporaryFiles()).length, 2);
      gate.resolve();
      await eventually(async () => assert.deepEqual(await site.temporaryFiles(), []));
      assert.equal(connection.readyState, "open");
    });

    it(`is deleted when the client leaves while the handler works: ${parser}`, async (t) => {
      const connection = await openConnection(t, site.port);
      await writeRequest(connection, `/${parser}/waits`, ONE_FILE);
      await eventually(async () => assert.equal((await site.temporaryFiles()).length, 1));
      connection.destroy();
      await eventually(async () => assert.deepEqual(await site.temporaryFiles(), []));
      gate.resolve();
    });

    it(`is stored whole by an attach that nobody awaits: ${parser}`, async () => {
      assert.equal(await site.send(`/${parser}/unawaited`, ONE_FILE), 202);
      const { key } = (await attempts[0]) as { key: string };
      assert.ok(readFileSync(site.storage.path(key)).equals(CONTENT));
      await nothingIsLeft();
    });

    it(`is stored whole by an attach that is under way when the response is sent: ${parser}`, async (t) => {
      const put = site.storage.put.bind(site.storage);
      t.mock.method(site.storage, "put", async (...args: Parameters<typeof put>) => {
        await gate.promise;
        return put(...args);
      });
      assert.equal(await site.send(`/${parser}/unawaited`, ONE_FILE), 202);
      await sleep(50);
      gate.resolve();
      const { key } = (await attempts[0]) as { key: string };
      assert.ok(readFileSync(site.storage.path(key)).equals(CONTENT));
      await nothingIsLeft();
    });

    it(`is gone for an attach that begins after the response, which says so: ${parser}`, async () => {
      assert.equal(await site.send(`/${parser}/afterwards`, ONE_FILE), 202);
      await nothingIsLeft();
      gate.resolve();
      await assert.rejects(
        attempts[0]!,
        (error: Error) => error instanceof UploadError && (error.cause as NodeJS.ErrnoException).code === "ENOENT",
      );
    });

    it(`is deleted with its request over HTTP/2, whether it is answered or reset: ${parser}`, async (t) => {
      const server = createServer(site.app.callback() as never).listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      t.after(() => session.destroy());
      const begin = (handler: string) =>
        session
          .request({
            ":method": "POST",
            ":path": `/${parser}/${handler}`,
            "content-type": CONTENT_TYPE,
            "content-length": ONE_FILE.length,
          })
          .on("error", () => {});

      const refused = begin("refuses");
      refused.end(ONE_FILE);
      const [headers] = await once(refused, "response");
      assert.equal(headers[":status"], 403);
      await eventually(async () => assert.deepEqual(await site.temporaryFiles(), []));

      const reset = begin("attach");
      reset.write(ONE_FILE.subarray(0, 50_000));
      await eventually(async () => assert.equal((await site.temporaryFiles()).length, 1));
      reset.close(8);
      await eventually(async () => assert.deepEqual(await site.temporaryFiles(), []));
    });
  }

  it("of a form that failed does not keep the client from sending the rest, for clients that read no answer before", async (t) => {
    const body = form(file("a", "x"), file("b", ""), file("file", Buffer.alloc(50 << 20)));
    const connection = await openConnection(t, site.port);
    const answer = once(connection, "data");
    await writeRequest(connection, "/koa-body/attach", body);
    assert.match(String(await answer), /^HTTP\/1\.1 400 /);
    await nothingIsLeft();
  });
});

describe("uploads that are cut at any byte", () => {
  const count = all ? 1000 : 300;
  for (const parser of PARSERS) {
    it(`leave no file, no descriptor and no memory behind, ${count} times: ${parser}`, async () => {
      const body = form(file("file", "small"), text("description", "x"), file("file", CONTENT));
      await cutForms(`/${parser}/attach`, body, 100);
      const before = memoryInUse();
      await cutForms(`/${parser}/attach`, body, count);
      // Connections that were cut last are let go of, and reported as errors, a little later.
      await eventually(() => {
        site.errors.length = 0;
        const after = memoryInUse();
        assert.ok(after < before * 1.1, `${after} bytes in use, ${before} before`);
      });
      assert.equal(await site.send(`/${parser}/attach`, ONE_FILE), 201);
      await nothingIsLeft();
    });
  }
});

async function attach(ctx: Context): Promise<void> {
  await site.files.attach(new Submission(), "file", fileOf(ctx));
  ctx.status = 201;
}

async function nothingIsLeft(): Promise<void> {
  await eventually(async () => assert.deepEqual(await site.temporaryFiles(), []));
  await eventually(() => assert.ok(descriptors() <= atRest, `${descriptors()} descriptors, ${atRest} at rest`));
}

/** What Koa reported, without the refusals. */
function failures(): Error[] {
  return site.errors.filter((error) => !((error as { status?: number }).status! < 500));
}

/** Cuts as many requests. */
async function cutForms(path: string, body: Buffer, count: number): Promise<void> {
  await cutMany(site.port, requestOf(path, body), count);
  await nothingIsLeft();
  site.errors.length = 0;
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve(): void;
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
